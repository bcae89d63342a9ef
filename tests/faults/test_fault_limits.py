"""The judge of commands: what keeps the limits passes, and every planted violation is found."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_cli.faults.limits import STALL_S, Command, Limits, check, motion
from tactus_core.guard.config import GuardConfig

JOINTS = 16
LIMITS = Limits.of(GuardConfig(), np.array([np.full(JOINTS, -1.0), np.full(JOINTS, 1.0)]))
HOME = np.array([0.5, 0.0, 0.3])


def smooth(times, seed=0):
    """Commands of a motion whose rates are a third of the limits, at uneven times."""
    draw = np.random.default_rng(seed)
    w = 8.0  # rad/s; amplitudes follow from the tightest of speed, acceleration and jerk
    reach = min(limit / w**order for order, limit in enumerate(LIMITS.tcp, 1) if np.isfinite(limit)) / 3.0
    turn = min(limit / w**order for order, limit in enumerate(LIMITS.turn, 1) if np.isfinite(limit)) / 3.0
    way = draw.normal(size=3)
    way /= np.linalg.norm(way)
    commands = []
    for i, t in enumerate(times):
        half = 0.5 * turn * np.sin(w * t)
        pose = np.concatenate((HOME + reach * np.sin(w * t) * way, np.sin(half) * way, [np.cos(half)]))
        hand = np.full(JOINTS, 0.1 * np.sin(w * t))
        T = np.eye(4)
        T[:3, 3] = HOME
        commands.append(Command(float(t), pose, hand, T[None], i == 0))
    return commands


def found(commands):
    return {violation.limit for violation in check(commands, motion(commands), LIMITS)}


def uneven(seed):
    """Return times 5 ms apart, give or take 2 ms."""
    return 100.0 + np.cumsum(0.005 + np.random.default_rng(seed).uniform(-0.002, 0.002, 200))


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_motion_within_the_limits_passes_however_uneven_its_times(seed):
    assert found(smooth(uneven(seed), seed)) == set()


def alter(commands, index, **changes):
    return [*commands[:index], replace(commands[index], **changes), *commands[index + 1 :]]


@given(st.integers(0, 10_000), st.integers(1, 199), st.integers(0, 2), st.sampled_from((-1.0, 1.0)))
@settings(max_examples=60, deadline=None)
def test_a_jump_is_found_whenever_it_comes(seed, index, axis, sign):
    commands = smooth(uneven(seed), seed)
    pose = commands[index].pose.copy()
    pose[axis] += sign * 0.01
    assert "tcp speed" in found(alter(commands, index, pose=pose))


@given(st.integers(1, 199), st.integers(0, JOINTS - 1))
@settings(max_examples=30, deadline=None)
def test_a_jump_of_one_finger_is_found(index, joint):
    commands = smooth(uneven(1))
    hand = commands[index].hand_rad.copy()
    hand[joint] += 0.2
    assert "hand speed" in found(alter(commands, index, hand_rad=hand))


@given(st.integers(0, 199), st.integers(0, 6), st.sampled_from((np.nan, np.inf, -np.inf)))
@settings(max_examples=40, deadline=None)
def test_what_is_not_finite_is_found(index, place, value):
    commands = smooth(uneven(2))
    pose = commands[index].pose.copy()
    pose[place] = value
    assert "finite" in found(alter(commands, index, pose=pose))


@pytest.mark.parametrize(
    ("limit", "changes"),
    [
        ("workspace", {"pose": np.array([1.2, 0, 0.3, 0, 0, 0, 1])}),
        ("reference error", {"pose": np.array([0.5, 0, 0.35, 0, 0, 0, 1])}),
        ("reference error", {"pose": np.array([0.5, 0.07, 0.3, 0, 0, 0, 1])}),
        ("reference error", {"pose": np.array([0.5, 0, 0.3, np.sin(0.25), 0, 0, np.cos(0.25)])}),
        ("unit quaternion", {"pose": np.array([0.5, 0, 0.3, 0, 0, 0, 0.9])}),
        ("hand limits", {"hand_rad": np.full(JOINTS, 1.001)}),
        ("turn speed", {"pose": np.array([0.5, 0, 0.3, np.sin(0.1), 0, 0, np.cos(0.1)])}),
    ],
)
def test_each_limit_is_judged(limit, changes):
    still = [replace(command, pose=np.array([*HOME, 0, 0, 0, 1.0])) for command in smooth(uneven(3))]
    assert found(still) == set()
    assert limit in found(alter(still, 50, **changes))


@pytest.mark.parametrize(("order", "name"), [(2, "tcp acceleration"), (3, "tcp jerk")])
def test_rates_above_the_first_are_judged_where_the_speed_is_small(order, name):
    still = [replace(c, pose=np.array([*HOME, 0, 0, 0, 1.0])) for c in smooth(0.005 * np.arange(50))]
    step = 2.0 * LIMITS.tcp[order - 1] * 0.005**order  # twice what the limit leaves to a last command
    kinked = alter(still, 49, pose=still[49].pose + np.array([0, step, 0, 0, 0, 0, 0]))
    assert name in found(kinked)
    assert "tcp speed" not in found(kinked)


def test_what_begins_anew_is_not_held_against_what_was_before():
    commands = smooth(uneven(5))
    pose = commands[50].pose + np.array([0.0, 0.02, 0, 0, 0, 0, 0])
    jumped = [*commands[:50], *(replace(c, pose=pose, begins=i == 0) for i, c in enumerate(commands[50:100]))]
    assert found(jumped) == set()
    assert "tcp speed" in found([*jumped[:50], replace(jumped[50], begins=False), *jumped[51:]])


def test_a_robot_outside_of_its_box_may_be_held_where_it_is():
    command = smooth(uneven(6))[0]
    T = np.eye(4)
    T[:3, 3] = [0.5, 0.61, 0.3]
    held = replace(command, pose=np.array([0.5, 0.61, 0.3, 0, 0, 0, 1.0]), measured=T[None])
    assert found([held]) == set()
    assert "workspace" in found([replace(held, pose=np.array([0.5, 0.62, 0.3, 0, 0, 0, 1.0]))])


def test_a_stall_is_to_the_judge_what_it_is_to_the_guard():
    assert GuardConfig().max_dt_s == STALL_S
