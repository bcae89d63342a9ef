"""Jerk-limited motion where ruckig has no answer."""

import numpy as np
from gantry import KINEMATICS, pose, state

from tactus_core.guard.config import GuardConfig
from tactus_core.guard.rates import Rates
from tactus_core.guard.types import Motion, Reason
from tactus_core.types import Target

CONFIG, DT_S = GuardConfig(), 0.005
RATES = Rates(CONFIG, KINEMATICS)


def hand(rad):
    return Target(pose(), np.full(16, rad))


def test_a_motion_goes_on_from_residues_of_the_last_step():
    """Found by chance, once in a hundred thousand steps: ruckig 0.19.4 finds no profile from exactly these numbers."""
    velocity, acceleration = np.zeros(22), np.zeros(22)
    velocity[21], acceleration[21] = -1.349476086431878e-13, 3.126388037344441e-11
    goal = hand(0.2)
    goal.hand_rad[15] += -0.01000000000000256
    after, _ = RATES.follow(Motion(hand(0.2), velocity, acceleration), goal, state(pose(), 1.0), DT_S, 1.0)
    assert after.target.hand_rad[15] < 0.1995


def test_without_a_profile_every_axis_brakes_at_its_limit():
    velocity = np.zeros(22)
    velocity[:3], velocity[6:] = (0.1, -0.2, 0.0), 3.0
    motion, goal = Motion(hand(0.2), velocity, np.zeros(22)), hand(np.nan)
    speeds = [np.abs(velocity)]
    for _ in range(20):
        motion, reason = RATES.follow(motion, goal, state(pose(), 1.0), DT_S, 1.0)
        assert reason is Reason.ACCELERATION
        speeds.append(np.abs(motion.velocity))
    change = -np.diff(speeds, axis=0)
    assert change.min() >= 0.0
    assert change[:, 6:].max() <= CONFIG.max_hand_acceleration_rad_s2 * DT_S + 1e-12
    assert change[:, :3].max() <= CONFIG.max_acceleration_m_s2 * DT_S + 1e-12
    assert not motion.velocity.any()
