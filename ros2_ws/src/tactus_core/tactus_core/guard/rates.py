"""How the robot gets there: velocity, acceleration and jerk of everything that is commanded stay within their limits."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from ruckig import InputParameter, OutputParameter, Ruckig, RuckigError, Synchronization

from tactus_core.geometry import rigid, rotation_matrix, rotation_vector
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import Motion, Reason
from tactus_core.kinematics import Kinematics
from tactus_core.types import Array, RobotState, Target

_LEAST_SHARE = 0.02  # ruckig wants speed limits above zero
_DECIMALS = 9  # of velocity and acceleration: ruckig finds no profile from residues such as 1e-13 rad/s
_NO_LAG = (1e-3, 1e-2, 1e-2, 5e-2)  # m, rad, rad (arm joints), rad (hand joints): what a target trails behind anyway


class Rates:
    """Moves from what was sent last towards a goal, by time-optimal jerk-limited motion of each axis (ruckig), for one step of time.

    The limits of the tcp hold for the length of its velocity, acceleration and jerk: each axis may use 1/√3 of them.
    Rotation is followed in rotation vectors from the last target, about base's axes: a step is a few hundredths of a radian.
    """

    def __init__(self, config: GuardConfig, kinematics: Kinematics) -> None:
        c, arm_speed_rad_s = config, kinematics.arm_speed_rad_s
        n, hand_joints = len(arm_speed_rad_s), len(kinematics.hand_low_rad)
        self._hand_limits = kinematics.hand_low_rad, kinematics.hand_high_rad
        moving, turning = (np.full(3, value) / sqrt(3.0) for value in (1.0, 1.0))
        hand = np.ones(hand_joints)
        joints = np.ones(n)
        self._pose = _Axes(
            np.concatenate((c.max_speed_m_s * moving, c.max_speed_rad_s * turning, c.max_hand_speed_rad_s * hand)),
            np.concatenate((c.max_acceleration_m_s2 * moving, c.max_acceleration_rad_s2 * turning, c.max_hand_acceleration_rad_s2 * hand)),
            np.concatenate((c.max_jerk_m_s3 * moving, c.max_jerk_rad_s3 * turning, c.max_hand_jerk_rad_s3 * hand)),
            np.repeat((_NO_LAG[0], _NO_LAG[1], _NO_LAG[3]), (3, 3, hand_joints)),
        )
        self._joints = _Axes(
            np.concatenate((np.minimum(c.max_joint_speed_rad_s, arm_speed_rad_s), c.max_hand_speed_rad_s * hand)),
            np.concatenate((c.max_joint_acceleration_rad_s2 * joints, c.max_hand_acceleration_rad_s2 * hand)),
            np.concatenate((c.max_joint_jerk_rad_s3 * joints, c.max_hand_jerk_rad_s3 * hand)),
            np.repeat((_NO_LAG[2], _NO_LAG[3]), (n, hand_joints)),
        )

    def at_rest(self, target: Target) -> Motion:
        """Return the motion of a target that stands still."""
        n = self._axes(target).count
        return Motion(target, np.zeros(n), np.zeros(n))

    def follow(self, motion: Motion, goal: Target, state: RobotState, dt_s: float, share: float) -> tuple[Motion, Reason | None]:
        """Return the motion `dt_s` later, towards `goal` (commanded the same way: pose, or joints), and what held it back.

        share: of the arm's speed limits. state: where a hand is that was never commanded.
        """
        last = motion.target
        if dt_s <= 0.0:
            return motion, None
        axes = self._axes(last)
        # Fingers may be measured a hair beyond their limits, and are not sent there.
        hand_last = np.clip(state.hand_position_rad, *self._hand_limits) if last.hand_rad is None else last.hand_rad
        hand_goal = hand_last if goal.hand_rad is None else goal.hand_rad
        if last.arm_rad is not None and goal.arm_rad is not None:
            way = goal.arm_rad - last.arm_rad
        else:
            T, T_goal = last.T_base_tcp, goal.T_base_tcp
            way = np.concatenate((T_goal[:3, 3] - T[:3, 3], rotation_vector(T_goal[:3, :3] @ T[:3, :3].T)))
        n = len(way)
        step, velocity, acceleration, reason = axes.step(np.concatenate((way, hand_goal - hand_last)), motion, dt_s, n, share)
        hand = None
        if last.hand_rad is not None or goal.hand_rad is not None:
            wanted = hand_last + step[n:]
            # A finger that was drawn back in full motion would run past its goal, which is within its limits.
            hand = np.clip(wanted, *self._hand_limits)
            velocity[n:][hand != wanted] = acceleration[n:][hand != wanted] = 0.0
        if last.arm_rad is not None:
            return Motion(Target(goal.T_base_tcp, hand, last.arm_rad + step[:n]), velocity, acceleration), reason
        pose = rigid(T[:3, 3] + step[:3], rotation_matrix(step[3:6]) @ T[:3, :3])
        return Motion(Target(pose, hand), velocity, acceleration), reason

    def moved(self, before: Motion, after: Motion, target: Target, dt_s: float) -> Motion:
        """Return the motion that `target`, put in the place of what `after` sends, amounts to: as fast as it went, within the limits."""
        axes = self._axes(target)
        if target.arm_rad is not None and before.target.arm_rad is not None:
            step = target.arm_rad - before.target.arm_rad
        else:
            T, T_next = before.target.T_base_tcp, target.T_base_tcp
            step = np.concatenate((T_next[:3, 3] - T[:3, 3], rotation_vector(T_next[:3, :3] @ T[:3, :3].T)))
        n = len(step)
        velocity, acceleration = after.velocity.copy(), after.acceleration.copy()
        if dt_s > 0.0:
            velocity[:n], acceleration[:n] = np.clip(step / dt_s, -axes.speed[:n], axes.speed[:n]), 0.0
        if target.hand_rad is not None and after.target.hand_rad is not None:
            # Fingers that something bends beyond their limits are not followed there.
            target = Target(target.T_base_tcp, np.clip(target.hand_rad, *self._hand_limits), target.arm_rad)
            drawn = target.hand_rad != after.target.hand_rad
            velocity[n:][drawn] = acceleration[n:][drawn] = 0.0
        return Motion(target, velocity, acceleration)

    def _axes(self, target: Target) -> "_Axes":
        return self._pose if target.arm_rad is None else self._joints


@dataclass(frozen=True)
class _Axes:
    """Independent axes with their limits, (n,) each."""

    speed: Array
    acceleration: Array
    jerk: Array
    no_lag: Array

    def __post_init__(self) -> None:
        n = self.count
        inputs = InputParameter(n)
        inputs.synchronization = Synchronization.No
        inputs.current_position = [0.0] * n
        inputs.max_acceleration, inputs.max_jerk = self.acceleration.tolist(), self.jerk.tolist()
        object.__setattr__(self, "_ruckig", (Ruckig(n, 0.005), inputs, OutputParameter(n)))

    @property
    def count(self) -> int:
        return len(self.speed)

    def step(self, way: Array, motion: Motion, dt_s: float, n_arm: int, share: float) -> tuple[Array, Array, Array, Reason | None]:
        """Return the way gone in `dt_s`, velocity and acceleration then, and what held it back."""
        ruckig, inputs, outputs = self._ruckig  # type: ignore[attr-defined]
        speed = self.speed.copy()
        speed[:n_arm] *= max(share, _LEAST_SHARE)
        inputs.max_velocity = speed.tolist()
        inputs.target_position = way.tolist()
        inputs.current_velocity = motion.velocity.round(_DECIMALS).tolist()
        inputs.current_acceleration = motion.acceleration.round(_DECIMALS).tolist()
        ruckig.delta_time = dt_s
        try:
            found = ruckig.update(inputs, outputs) >= 0
        except RuckigError:
            found = False
        if not found:  # one axis without a profile is an error for all
            return self._brake(motion.velocity, dt_s)
        step, velocity, acceleration = map(np.array, (outputs.new_position, outputs.new_velocity, outputs.new_acceleration))
        reason = None
        if (np.abs(velocity) >= 0.999 * speed).any():
            reason = Reason.SPEED
        elif (np.abs(way - step) > self.no_lag).any():
            reason = Reason.ACCELERATION
        return step, velocity, acceleration, reason

    def _brake(self, velocity: Array, dt_s: float) -> tuple[Array, Array, Array, Reason]:
        """Return one step of every axis towards rest, at its limit of acceleration."""
        change = np.clip(-velocity, -self.acceleration * dt_s, self.acceleration * dt_s)
        slower = velocity + change
        return 0.5 * (velocity + slower) * dt_s, slower, change / dt_s, Reason.ACCELERATION
