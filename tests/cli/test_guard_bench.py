"""The judge of the guard's bench: it has to find what is planted, or its "none" means nothing."""

import dataclasses
from collections import Counter

import numpy as np
import pytest

from tactus_cli.guard_fuzz import Episode, Judge, fuzz, rates
from tactus_core.geometry import rigid, rotation_matrix
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import GuardState, Verdict
from tactus_core.kinematics import Kinematics
from tactus_core.types import Target
from tactus_sim.robot import PANDA_ALLEGRO

CONFIG = GuardConfig()
KINEMATICS = Kinematics(PANDA_ALLEGRO)
HAND = PANDA_ALLEGRO.hand_rest_rad
T_HOME = KINEMATICS.tcp_pose(PANDA_ALLEGRO.q_home_rad)


def episode(alter=lambda i, T, hand: None):
    """Forty steps at rest, altered."""
    out = Episode()
    for i in range(40):
        T, hand = T_HOME.copy(), HAND.copy()
        alter(i, T, hand)
        out.time_s.append(10.0 + 0.005 * i)
        out.q.append(PANDA_ALLEGRO.q_home_rad)
        out.measured.append(T_HOME)
        out.hand_measured.append(HAND)
        out.sent.append(T)
        out.arm_sent.append(np.full(7, np.nan))
        out.hand_sent.append(hand)
        out.verdicts.append(Verdict(1.0, GuardState.RUNNING, "policy", (), None, Target(T, hand)))
    return out


def nan(i, T, hand):
    T[0, 3] = np.nan if i == 20 else T[0, 3]


def jump(i, T, hand):
    T[0, 3] += 0.005 * (i >= 20)


def shake(i, T, hand):
    T[:3, 3] += 2e-4 * (-1) ** i


def far(i, T, hand):
    T[2, 3] -= 0.05


def twist(i, T, hand):
    T[:] = rigid(T[:3, 3], T[:3, :3] @ rotation_matrix(np.array([0.0, 0.0, 0.02 * (i >= 20)])))


def finger(i, T, hand):
    hand[3] += 0.04 * (i >= 20)


def scaled(i, T, hand):
    T[:3, :3] *= 1.01


@pytest.mark.parametrize(
    ("alter", "found"),
    [
        (nan, "not finite"),
        (jump, "tcp speed"),
        (shake, "tcp acceleration"),
        (shake, "tcp jerk"),
        (far, "normal error"),
        (twist, "turn speed"),
        (finger, "hand speed"),
        (scaled, "no rotation"),
    ],
)
def test_what_breaks_a_limit_is_found(alter, found):
    judge = Judge(CONFIG, KINEMATICS)
    assert not judge.violations(episode())
    assert judge.violations(episode(alter))[found] > 0


def test_divided_differences_of_a_cubic_are_its_derivatives():
    time_s = np.cumsum(np.random.default_rng(0).uniform(0.001, 0.02, 30))
    first, second, third = rates(time_s, np.stack([time_s**3, 2 * time_s**2], axis=1))
    np.testing.assert_allclose(third, np.tile([6.0, 0.0], (27, 1)), atol=1e-5)
    np.testing.assert_allclose(second[:, 1], 4.0)
    assert (first[:, 0] > 0).all()


def test_hostile_proposals_break_no_limit_and_a_guard_without_limits_is_caught():
    assert fuzz(PANDA_ALLEGRO, CONFIG, 3000, 3, lambda count: None)["violations"] == {}
    loose = dataclasses.replace(CONFIG, max_acceleration_m_s2=50.0, max_hand_speed_rad_s=20.0)
    found = _judged_by(CONFIG, loose)
    assert found["tcp acceleration"] > 0
    assert found["hand speed"] > 0


def _judged_by(strict, loose):
    from tactus_cli import guard_fuzz
    from tactus_core.guard.guard import Guard

    rng, judge = np.random.default_rng(5), Judge(strict, KINEMATICS)
    found = Counter()
    for _ in range(4):
        told, _ = guard_fuzz._episode(Guard(loose, KINEMATICS), guard_fuzz.Adversary(PANDA_ALLEGRO, KINEMATICS, rng), rng, [])
        found += judge.violations(told)
    return found
