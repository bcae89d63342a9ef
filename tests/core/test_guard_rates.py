"""Jerk-limited motion where ruckig has no answer, and where the guard could not run."""

import numpy as np
from gantry import KINEMATICS, pose, state
from guard_rig import Rig

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


def test_a_motion_that_stops_just_at_its_goal_goes_on():
    """Found by an adversary: ruckig finds no profile for exactly these numbers of one joint, and all the others would have had to brake."""
    velocity, acceleration = np.zeros(22), np.zeros(22)
    velocity[19], acceleration[19] = 0.15407599, -111.027134575
    velocity[6] = 1.0
    goal = np.zeros(16)
    goal[13], goal[0] = 0.00014254966446008988, 0.5
    motion, _ = RATES.follow(Motion(hand(0.0), velocity, acceleration), Target(pose(), goal), state(pose()), DT_S, 1.0)
    assert motion.velocity[6] > 1.0
    assert 0.0 < motion.target.hand_rad[13] < 2e-4


def test_a_finger_bent_beyond_its_limit_is_driven_no_farther_than_the_limit():
    """Its goal, drawn towards where it was bent, lies beyond: at the limit it has to come to rest, and not to be cut off in full motion."""
    high = KINEMATICS.hand_high_rad
    motion = RATES.at_rest(Target(pose(), high - 0.3))
    placed = [motion.target.hand_rad]
    for _ in range(120):
        motion, _ = RATES.follow(motion, Target(pose(), high + 0.2), state(pose()), DT_S, 1.0)
        placed.append(motion.target.hand_rad)
    acceleration = np.diff(placed, n=2, axis=0) / DT_S**2
    assert np.abs(acceleration).max() <= CONFIG.max_hand_acceleration_rad_s2 * 1.001
    np.testing.assert_allclose(placed[-1], high, atol=1e-6)


def test_after_a_stall_motion_begins_from_rest():
    rig = Rig(resume_s=0.0)
    rig.run(0.5, ("policy", Target(rig.T, KINEMATICS.hand_low_rad)))
    moving = ("policy", Target(pose(x=0.54), KINEMATICS.hand_high_rad))
    rig.run(0.03, moving)
    before = rig.step(moving).executed
    after = rig.step(moving, tick_s=0.06).executed
    # From rest, no farther than half its acceleration takes it.
    assert 0.0 < (after.hand_rad - before.hand_rad).max() <= 0.5 * CONFIG.max_hand_acceleration_rad_s2 * CONFIG.max_dt_s**2
    assert 0.0 < after.T_base_tcp[0, 3] - before.T_base_tcp[0, 3] <= 0.5 * CONFIG.max_acceleration_m_s2 * CONFIG.max_dt_s**2
