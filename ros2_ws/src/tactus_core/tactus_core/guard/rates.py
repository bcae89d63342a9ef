"""How the robot gets there: velocity, acceleration and jerk of everything that is commanded stay within their limits."""

from math import sqrt
from operator import ge, gt, sub

import numpy as np
from ruckig import InputParameter, OutputParameter, Ruckig, RuckigError, Synchronization

from tactus_core.geometry import rigid, rotation_matrix, rotation_vector
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import Motion, Reason
from tactus_core.kinematics import Kinematics
from tactus_core.types import Array, RobotState, Target

_NEARLY = 0.999
_LEAST_SHARE = 0.02  # ruckig wants speed limits above zero
_SHIFTS = (0.0, 1e-7, -1e-7)  # m or rad: nothing that a robot could do
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
        hand_last = self._within(state.hand_position_rad) if last.hand_rad is None else last.hand_rad
        # A finger that is bent beyond its limit gives way towards there, and may not be driven at the limit as if the way went on.
        hand_goal = hand_last if goal.hand_rad is None else self._within(goal.hand_rad)
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
            hand = self._within(wanted)
            _rest(velocity[n:], acceleration[n:], hand != wanted)
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
            hand = self._within(target.hand_rad)
            target = Target(target.T_base_tcp, hand, target.arm_rad)
            _rest(velocity[n:], acceleration[n:], hand != after.target.hand_rad)
        return Motion(target, velocity, acceleration)

    def _within(self, hand_rad: Array) -> Array:
        low, high = self._hand_limits
        return np.minimum(np.maximum(hand_rad, low), high)

    def _axes(self, target: Target) -> "_Axes":
        return self._pose if target.arm_rad is None else self._joints


def _rest(velocity: Array, acceleration: Array, where: Array) -> None:
    if where.any():
        velocity[where] = acceleration[where] = 0.0


class _Axes:
    """Independent axes with their limits, (n,) each; no_lag: what a goal may be away without the axis being called slow."""

    def __init__(self, speed: Array, acceleration: Array, jerk: Array, no_lag: Array) -> None:
        self.count, self.speed, self.acceleration = len(speed), speed, acceleration
        self._no_lag = no_lag.tolist()
        self._ruckig, self._inputs, self._outputs = Ruckig(self.count, 0.005), InputParameter(self.count), OutputParameter(self.count)
        self._inputs.synchronization = Synchronization.No
        self._inputs.current_position = [0.0] * self.count
        self._inputs.max_acceleration, self._inputs.max_jerk = acceleration.tolist(), jerk.tolist()

    def step(self, way: Array, motion: Motion, dt_s: float, n_arm: int, share: float) -> tuple[Array, Array, Array, Reason | None]:
        """Return the way gone in `dt_s`, velocity and acceleration then, and what held it back."""
        speed = self.speed.copy()
        speed[:n_arm] *= max(share, _LEAST_SHARE)
        goals, speeds = way.tolist(), speed.tolist()
        self._inputs.max_velocity, self._ruckig.delta_time = speeds, dt_s
        if not self._found(goals, motion):
            return self._brake(motion.velocity, dt_s)
        steps, velocities, accelerations = self._outputs.new_position, self._outputs.new_velocity, self._outputs.new_acceleration
        reason = None
        # In plain numbers: for some twenty of them that is faster than arrays.
        if any(map(ge, map(abs, velocities), map(_NEARLY.__mul__, speeds))):
            reason = Reason.SPEED
        elif any(map(gt, map(abs, map(sub, goals, steps)), self._no_lag)):
            reason = Reason.ACCELERATION
        return np.array(steps), np.array(velocities), np.array(accelerations), reason

    def _found(self, goals: list[float], motion: Motion) -> bool:
        """Let ruckig find one step's motion: where an axis stops just at its goal, or from residues such as 1e-13, it may find none."""
        for shift in _SHIFTS:
            self._inputs.target_position = [goal + shift for goal in goals] if shift else goals
            if self._update(motion.velocity, motion.acceleration):
                return True
        return self._update(motion.velocity.round(9), motion.acceleration.round(9))

    def _update(self, velocity: Array, acceleration: Array) -> bool:
        """Let ruckig find one step's motion; say whether it did. An axis without a profile is an error for all."""
        self._inputs.current_velocity, self._inputs.current_acceleration = velocity.tolist(), acceleration.tolist()
        try:
            return bool(self._ruckig.update(self._inputs, self._outputs) >= 0)
        except RuckigError:
            return False

    def _brake(self, velocity: Array, dt_s: float) -> tuple[Array, Array, Array, Reason]:
        """Return one step of every axis towards rest, at its limit of acceleration."""
        change = np.clip(-velocity, -self.acceleration * dt_s, self.acceleration * dt_s)
        slower = velocity + change
        return 0.5 * (velocity + slower) * dt_s, slower, change / dt_s, Reason.ACCELERATION
