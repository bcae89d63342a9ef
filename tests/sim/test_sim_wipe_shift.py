"""Wiping under a shift: another arm and board, the same episodes; and whoever could advise a person there."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactus_core.types import WorldSnapshot
from tactus_sim.arm import WIPING, along_tool
from tactus_sim.rig import TOOL_DOWN
from tactus_sim.wipe import TASK
from tactus_sim.wipe.adviser import WipeAdviser
from tactus_sim.wipe.layout import SHIFTS, USUAL, draw


@given(st.integers(0, 2**31), st.sampled_from(sorted(SHIFTS)))
def test_a_shift_leaves_all_of_an_episode_but_friction_as_it_is(seed, name):
    usual, shifted = draw(seed), draw(seed, SHIFTS[name])
    assert SHIFTS[name].friction[0] <= shifted.friction <= SHIFTS[name].friction[1]
    for of in ("T_base_board", "marks_m", "rows", "start_m"):
        np.testing.assert_array_equal(getattr(usual, of), getattr(shifted, of))
    assert usual.moves == shifted.moves
    assert [(push.start_s, *push.force_N) for push in usual.pushes] == [(push.start_s, *push.force_N) for push in shifted.pushes]


def test_without_a_shift_the_arm_is_the_same_to_the_bit_and_with_one_only_along_the_tool():
    same = along_tool(WIPING, USUAL.stiffness_N_m)
    np.testing.assert_array_equal(same.stiffness, WIPING.stiffness)
    np.testing.assert_array_equal(same.damping, WIPING.damping)
    harder = along_tool(WIPING, 4.0 * WIPING.stiffness[2])
    np.testing.assert_array_equal(harder.stiffness / WIPING.stiffness, [1, 1, 4, 1, 1, 1])
    np.testing.assert_array_equal(harder.damping / WIPING.damping, [1, 1, 2, 1, 1, 1])


def test_the_task_knows_its_shifts_and_an_expert_for_each():
    assert set(TASK.shifts) == set(SHIFTS)
    for task in TASK.shifts.values():
        assert (task.name, task.robot, task.duration_s, task.cameras) == (TASK.name, TASK.robot, TASK.duration_s, TASK.cameras)
        assert task.make_expert is not None


def advised(tick, wrench_z_N, ranges=USUAL, **changed):
    wrench = np.array([3.0, 0.0, wrench_z_N, 0.0, 0.0, 0.0])
    return WipeAdviser(ranges).advise(replace(tick.snapshot, **changed), wrench)


def in_board(world, T):
    board = world.layout.T_base_board
    return board[:3, :3].T @ (T[:3, 3] - board[:3, 3])


def test_the_adviser_presses_as_hard_as_is_good_and_alarms_at_a_blow(pressed):
    world, tick = pressed
    at_m = in_board(world, tick.state.T_base_tcp)
    for pressed_N, deeper_m in ((8.0, 0.0), (2.0, 0.01), (20.0, -0.02)):
        advice = advised(tick, -pressed_N)
        went_m = in_board(world, advice.T_base_tcp) - at_m
        assert -went_m[2] == pytest.approx(deeper_m, abs=0.001)  # the pad sinks in by less than that
        assert (advice.well, advice.alarm) == (pressed_N == 8.0, pressed_N == 20.0)
        assert (np.linalg.norm(went_m[:2]) > 0.01) == (pressed_N == 8.0), "it goes on once the pressure is right"
        np.testing.assert_allclose(advice.T_base_tcp[:3, :3], world.layout.T_base_board[:3, :3] @ TOOL_DOWN)
    stiffer = advised(tick, -20.0, replace(USUAL, stiffness_N_m=1200.0))
    assert (in_board(world, stiffer.T_base_tcp) - at_m)[2] == pytest.approx(0.01, abs=0.001)


def test_the_adviser_goes_to_the_nearest_mark_and_counts_those_that_are_gone(pressed):
    world, tick = pressed
    marks = np.zeros_like(tick.snapshot.marks)
    marks[[0, -1]] = 1
    advice = advised(tick, -8.0, marks=marks)
    tool_m, goal_m = (in_board(world, T)[:2] for T in (tick.state.T_base_tcp, advice.T_base_tcp))
    left_m = world.layout.marks_m[[0, -1]]
    np.testing.assert_allclose(goal_m, left_m[np.argmin(np.linalg.norm(left_m - tool_m, axis=1))], atol=1e-9)
    assert advice.done == pytest.approx(1.0 - 2.0 / len(marks))


def test_above_the_board_it_comes_down_wherever_the_board_is(world):
    tick = world.reset(3)
    for offset_m in (-0.01, 0.01):
        positions = np.append(tick.snapshot.positions[:-1], offset_m)
        advice = WipeAdviser(USUAL).advise(WorldSnapshot(3, positions, tick.snapshot.marks), np.zeros(6))
        assert in_board(world, advice.T_base_tcp)[2] == pytest.approx(offset_m - 8.0 / 600.0, abs=1e-6)
