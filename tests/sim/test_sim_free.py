"""Whole robots in an empty space: they are the robots that the guard knows, they stand, follow and hold, and their wrists feel."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pinocchio as pin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.errors import ConfigError
from tactus_core.kinematics import Kinematics
from tactus_core.perception.payload import identify
from tactus_nodes import plugins
from tactus_sim.free import bodies
from tactus_sim.free.model import physical_urdf
from tactus_sim.free.world import TICK_S, FreeWorld

LAUNCHED = sorted(file.name.removesuffix(".launch.xml") for file in (Path(__file__).parents[2] / "launch" / "robots").glob("*.xml"))
FEELING = [name for name in LAUNCHED if name != "so101"]
SPEED_rad_s = 1.5
BUILDS = {name: getattr(bodies, name.upper()) for name in LAUNCHED}


@pytest.fixture(scope="module")
def worlds():
    made = {}

    def world(name):
        if name not in made:
            made[name] = FreeWorld(BUILDS[name], plugins.find_robot(name), SPEED_rad_s)
        made[name].reset()
        return made[name]

    yield world
    for each in made.values():
        each.close()


def run(world, seconds):
    ticks = [world.step() for _ in range(round(seconds / TICK_S))]
    return ticks[-1], np.array([tick.arm.velocity_rad_s for tick in ticks])


def felt(world, push_N=None):
    """Return the mean wrench over 0.1 s, while the tool is pushed with this force in the base frame."""
    wrenches = []
    for _ in range(50):
        if push_N is not None:
            world.push(push_N)
        wrenches.append(world.step().wrench_tcp)
    return np.mean(wrenches, axis=0)


def test_every_launched_robot_has_a_simulation():
    assert plugins.names("tactus.sims") == LAUNCHED
    assert all(plugins.find_sim(name).make_world for name in LAUNCHED)


@pytest.mark.parametrize("name", LAUNCHED)
def test_its_physics_have_the_arm_that_the_guard_knows_and_a_weight_for_each_link(name):
    robot = plugins.find_robot(name)
    path = physical_urdf(BUILDS[name], robot)
    ours, theirs = Kinematics(robot), Kinematics(replace(robot, urdf=lambda: path, hand_joints=(), fingers=()))
    random = np.random.default_rng(0)
    for _ in range(20):
        q = random.uniform(ours.arm_low_rad, ours.arm_high_rad)
        np.testing.assert_allclose(theirs.tcp_pose(q), ours.tcp_pose(q), atol=1e-12)
    masses = [inertia.mass for inertia in pin.buildModelFromUrdf(str(path)).inertias.tolist()[1:]]
    assert min(masses) > 0.01


@pytest.mark.parametrize("name", LAUNCHED)
def test_it_stands_follows_no_faster_than_told_and_holds_where_it_is(name, worlds):
    world, robot = worlds(name), plugins.find_robot(name)
    tick, _ = run(world, 0.2)
    np.testing.assert_allclose(tick.arm.position_rad, robot.q_home_rad, atol=2e-3)
    k = Kinematics(robot)
    goal = robot.q_home_rad + np.where(robot.q_home_rad + 0.2 < k.arm_high_rad, 0.2, -0.2)
    np.testing.assert_array_equal(world.move_arm(goal), goal)
    world.move_hand(robot.hand_grip_rad)
    tick, velocity_rad_s = run(world, 0.1)
    held = world.move_arm(None)
    assert (np.abs(held - robot.q_home_rad) < 0.18).all()
    tick, braking_rad_s = run(world, 0.3)
    assert np.abs(np.diff(braking_rad_s, axis=0)).max() < 50.0 * TICK_S
    np.testing.assert_allclose(tick.arm.position_rad, held, atol=2e-3)
    world.move_arm(goal)
    tick, more = run(world, 0.6)
    np.testing.assert_allclose(tick.arm.position_rad, goal, atol=2e-3)
    np.testing.assert_allclose(tick.hand.position_rad, robot.hand_grip_rad)
    assert np.abs(np.vstack([velocity_rad_s, more])).max() < 1.05 * SPEED_rad_s


@pytest.mark.parametrize("name", FEELING)
def test_a_push_on_the_tool_is_felt_in_its_frame_and_the_weight_only_where_the_sensor_knows_none(name, worlds):
    world, robot = worlds(name), plugins.find_robot(name)
    q = robot.q_home_rad + 0.2
    world.move_arm(q)
    run(world, 0.5)
    R = Kinematics(robot).tcp_pose(q)[:3, :3]
    unloaded, push_N = felt(world), np.array([3.0, -4.0, 5.0])
    np.testing.assert_allclose((felt(world, push_N) - unloaded)[:3], R.T @ push_N, atol=0.2)
    np.testing.assert_allclose((felt(world, push_N) - unloaded)[3:], np.zeros(3), atol=0.02)
    weight_N = 0.0 if BUILDS[name].tares else 9.81 * BUILDS[name].bodies[-1].mass_kg
    np.testing.assert_allclose(unloaded[:3], R.T @ np.array([0.0, 0.0, -weight_N]), atol=0.6)  # a bias of 0.15 N, one sigma


def test_an_arm_that_something_stopped_presses_no_more_when_commands_cease(worlds):
    world, robot = worlds("ur5e_inspire"), plugins.find_robot("ur5e_inspire")
    world.move_arm(robot.q_home_rad + np.array([0.0, 0.6, 0.0, -0.6, 0.0, 0.0]))
    run(world, 1.5)
    pressed_N = felt(world)[2]
    assert pressed_N < -200.0  # the floor, against the tool's axis
    world.move_arm(None)
    run(world, 0.3)
    assert abs(felt(world)[2]) < 0.2 * abs(pressed_N)  # not all of it: where it was measured it touches a hard floor


def test_its_payload_is_found_as_that_of_a_real_robot(worlds):
    world, robot = worlds("ur5e_leap_netft"), plugins.find_robot("ur5e_leap_netft")
    wrenches, tilts = [], []
    for turn in ((0.0, 0.0), (0.7, 0.0), (-0.7, 0.0), (0.0, 0.7), (0.0, -0.7)):
        q = robot.q_home_rad + np.array([0.0, 0.0, 0.0, *turn, 0.0])
        world.move_arm(q)
        run(world, 1.2)
        wrenches.append(felt(world))
        tilts.append(Kinematics(robot).tcp_pose(q)[:3, :3])
    found, hand = identify(np.array(wrenches), tilts), BUILDS["ur5e_leap_netft"].bodies[-1]
    assert found.mass_kg == pytest.approx(hand.mass_kg, abs=0.02)
    np.testing.assert_allclose(found.center_m, [0.0, 0.0, hand.center_m[2] - 0.15], atol=5e-3)  # of the tcp


@given(st.lists(st.floats(-100.0, 100.0), min_size=6, max_size=6))
@settings(max_examples=25, deadline=None)
def test_nothing_is_asked_of_a_joint_beyond_its_limits(worlds, wanted):
    world, k = worlds("so101"), Kinematics(plugins.find_robot("so101"))
    asked = world.move_arm(np.array(wanted))
    assert (k.arm_low_rad <= asked).all()
    assert (asked <= k.arm_high_rad).all()


def test_a_robot_without_a_simulation_is_told_so():
    with pytest.raises(ConfigError, match=r"no simulation of robot 'panda_allegro'.*mode:=emulated"):
        plugins.find_sim("panda_allegro")
