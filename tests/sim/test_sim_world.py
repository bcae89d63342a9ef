import numpy as np
import pytest
from expert_run import demonstrate

from tactus_core.kinematics import Kinematics
from tactus_sim.robot import PANDA_ALLEGRO
from tactus_sim.wipe.camera import WipeCamera


def test_pressing_on_the_board_is_felt_as_a_force_out_of_it(pressed):
    world, tick = pressed
    normal_N = world.normal_force_N
    assert 5.0 < normal_N < 10.0
    assert tick.state.wrench_tcp[2] == pytest.approx(-normal_N, abs=0.8)  # 0.15 N of bias and 0.1 N of noise, one sigma
    assert np.all(np.abs(tick.state.wrench_tcp[3:]) < 0.3)


def test_the_fingertips_carry_the_contact_force_and_the_strap(pressed):
    world, tick = pressed
    # 4 N of strap less the pad's own weight: what the taxels show beyond the normal force.
    assert tick.state.fingertip_force_N.sum() - world.normal_force_N == pytest.approx(3.0, abs=0.5)
    assert tick.taxels.shape == (4, 12, 6)
    np.testing.assert_allclose(np.linalg.norm(tick.taxels[..., 3:].sum(axis=1), axis=1), tick.state.fingertip_force_N, atol=0.3)


def test_the_steady_press_is_quiet(pressed):
    world, _ = pressed
    forces_N = []
    for _ in range(40):
        world.step()
        forces_N.append(world.normal_force_N)
    assert np.std(forces_N) < 0.2


def test_in_free_air_nothing_is_felt(world):
    tick = world.reset(3)
    assert world.normal_force_N == 0.0
    assert np.linalg.norm(tick.state.wrench_tcp[:3]) < 1.5


def test_the_measured_pose_is_what_the_joints_say(world):
    tick = world.reset(4)
    T = Kinematics(PANDA_ALLEGRO).tcp_pose(tick.joint_position_rad[:7])
    np.testing.assert_allclose(tick.state.T_base_tcp, T, atol=1e-6)


def test_an_arm_told_to_hold_stays(world):
    tick = world.reset(5)
    start = tick.state.T_base_tcp[:3, 3].copy()
    world.command(None)
    for _ in range(200):
        tick = world.step()
    assert np.linalg.norm(tick.state.T_base_tcp[:3, 3] - start) < 0.001


def test_a_seed_is_a_trajectory(world):
    first = demonstrate(world, 11, most=400)
    again = demonstrate(world, 11, most=400)
    np.testing.assert_array_equal(first[-1].joint_position_rad, again[-1].joint_position_rad)
    np.testing.assert_array_equal(first[-1].state.wrench_tcp, again[-1].state.wrench_tcp)


def test_the_expert_wipes_the_board_and_the_camera_sees_the_marks_go(world):
    ticks = demonstrate(world, 2)
    assert world.outcome().success, world.outcome()
    camera = WipeCamera()

    def blue(snapshot):
        image = camera.render(snapshot).astype(int)
        assert image.shape == (96, 96, 3)
        return int(((image[..., 2] - image[..., 0] > 80) & (image[..., 0] < 60)).sum())

    assert blue(ticks[0].snapshot) > 30
    assert blue(ticks[-1].snapshot) == 0
