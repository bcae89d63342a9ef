"""Insertion: the layout keeps the task's word, forces are what is felt, and the expert gets the peg in without a blow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactus_core.geometry import inverse, rotation_vector
from tactus_core.kinematics import Kinematics
from tactus_core.types import Target
from tactus_sim.insert.demos import InsertDemonstrator
from tactus_sim.insert.expert import InsertAdviser
from tactus_sim.insert.layout import SHIFTS, USUAL, DEPTH_m, HOLE_m, draw
from tactus_sim.insert.peg import PANDA_ALLEGRO_PEG
from tactus_sim.insert.score import INSERTED, PEAK_N, Score
from tactus_sim.insert.world import InsertWorld


@pytest.fixture(scope="module")
def inserting():
    return InsertWorld()


@given(st.integers(0, 2**31), st.sampled_from([(USUAL, 0.004, 3.0, 0.020, 0.0), (SHIFTS["peg"], 0.006, 3.5, 0.0185, 0.14)]))
def test_hole_and_grip_are_off_by_no_more_than_the_task_says(seed, told):
    ranges, error_m, error_deg, side_m, turned_rad = told
    layout = draw(seed, ranges)
    assert np.abs(layout.T_base_hole[:3, 3] - HOLE_m).max() <= error_m
    assert np.abs(rotation_vector(layout.T_base_hole[:3, :3])).max() <= np.radians(error_deg) + 1e-9
    assert 0.0005 <= layout.clearance_m <= 0.001
    assert layout.side_m == side_m
    x_m, y_m, yaw_rad = layout.in_hand
    assert max(abs(x_m), abs(y_m)) <= 0.001
    assert abs(yaw_rad - turned_rad) <= np.radians(1.0) + 1e-9


@given(st.floats(-0.05, 0.05), st.floats(-0.02, 0.02), st.floats(0.0, 80.0))
def test_success_is_depth_in_the_hole_without_a_blow(height_m, aside_m, force_N):
    score = Score(draw(0))
    score.feel(force_N)
    score.see(np.array([aside_m, 0.0, height_m]))
    deep = -height_m >= INSERTED * DEPTH_m and abs(aside_m) < 0.01
    assert score.outcome(1.0).success == (deep and force_N <= PEAK_N)
    assert score.over == (deep or force_N > PEAK_N)


def lowered_beside_the_hole(world, ticks, seed=5):
    tick = world.reset(seed)
    T = tick.state.T_base_tcp.copy()
    T[:2, 3] = world.layout.T_base_hole[:2, 3] + [0.03, 0.0]
    for _ in range(ticks):
        T[2, 3] = max(T[2, 3] - 0.0004, world.layout.T_base_hole[2, 3] - 0.016)
        world.command(Target(T, PANDA_ALLEGRO_PEG.hand_posture(1.0)))
        tick = world.step()
    return tick


def test_a_seed_is_an_episode_and_the_measured_pose_is_what_the_joints_say(inserting):
    first, again = (lowered_beside_the_hole(inserting, 40) for _ in range(2))
    np.testing.assert_array_equal(first.joint_position_rad, again.joint_position_rad)
    np.testing.assert_array_equal(first.state.wrench_tcp, again.state.wrench_tcp)
    T = Kinematics(PANDA_ALLEGRO_PEG).tcp_pose(first.joint_position_rad[:7])
    np.testing.assert_allclose(first.state.T_base_tcp, T, atol=1e-6)


def test_an_episode_does_not_depend_on_those_before_it_in_the_same_world():
    world = InsertWorld()
    alone = lowered_beside_the_hole(world, 230)
    assert np.linalg.norm(alone.state.wrench_tcp[:3]) > 1.0
    other = InsertWorld()
    for before in (6, 333):
        lowered_beside_the_hole(other, 230, before)
        after = lowered_beside_the_hole(other, 230)
        np.testing.assert_array_equal(after.joint_position_rad, alone.joint_position_rad)
        np.testing.assert_array_equal(after.state.wrench_tcp, alone.state.wrench_tcp)


def test_the_adviser_sees_the_peg_where_it_is_and_would_bring_it_to_the_hole(inserting):
    tick, adviser = lowered_beside_the_hole(inserting, 40), InsertAdviser(USUAL)
    np.testing.assert_allclose(adviser._T_base_peg(tick.snapshot.positions), inserting.T_base_peg, atol=1e-4)
    advice = adviser.advise(tick.snapshot, tick.state.wrench_tcp)
    moved = advice.T_base_tcp @ inverse(tick.state.T_base_tcp) @ inserting.T_base_peg
    aside_m = (inverse(inserting.layout.T_base_hole) @ moved)[:2, 3]
    assert np.abs(aside_m).max() < 0.001
    assert not advice.well
    assert 0.0 < advice.done < 0.9


def test_contact_is_felt_at_the_wrist_and_is_stiff_against_the_clearance_and_quiet(inserting):
    tick = lowered_beside_the_hole(inserting, 350)
    force_N = tick.state.T_base_tcp[:3, :3].T @ inserting.contact_force_N
    assert force_N[2] < -5.0
    np.testing.assert_allclose(tick.state.wrench_tcp[:3], force_N, atol=1.0)  # 0.15 N of bias and 0.1 N of noise, one sigma
    assert inserting.outcome().parts["inserted"] < 0.2
    heights_m, forces_N = [], []
    for _ in range(40):
        inserting.step()
        heights_m.append((inverse(inserting.layout.T_base_hole) @ inserting.T_base_peg)[2, 3])
        forces_N.append(np.linalg.norm(inserting.contact_force_N))
    assert np.std(forces_N) < 0.2
    assert np.ptp(heights_m) < 1e-4


def test_a_demonstration_shows_how_the_peg_goes_in():
    outcome, arrays, good = InsertDemonstrator().demonstrate(1)
    assert good
    assert outcome.parts["peak_force_N"] < 0.5 * PEAK_N
    assert arrays["image"].shape[1:] == (96, 96, 3)
    assert len(arrays["t_s"]) == len(arrays["action_pose"]) == len(arrays["wrench"])
    assert np.ptp(arrays["tcp_pose"][:, 2]) > 0.06
