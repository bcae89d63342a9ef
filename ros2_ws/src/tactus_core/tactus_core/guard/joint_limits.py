"""Joints stay within their limits: those of the hand by being clipped, those of an arm that is commanded by joints as well."""

import numpy as np

from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import Context, Reason
from tactus_core.kinematics import Kinematics
from tactus_core.types import Array, Target


class HandLimits:
    """Clips each joint of the hand. low_rad, high_rad: (hand joints,)."""

    def __init__(self, low_rad: Array, high_rad: Array) -> None:
        self._low, self._high = low_rad, high_rad

    def apply(self, target: Target, context: Context) -> tuple[Target | None, Reason | None]:
        """See `Stage`."""
        if target.hand_rad is None:
            return target, None
        inside = np.minimum(np.maximum(target.hand_rad, self._low), self._high)
        if (inside == target.hand_rad).all():
            return target, None
        return Target(target.T_base_tcp, inside, target.arm_rad), Reason.HAND_LIMITS


class ArmLimits:
    """Clips each joint of an arm that is commanded by joints to the URDF's limits less a margin."""

    def __init__(self, config: GuardConfig, kinematics: Kinematics) -> None:
        self._low = kinematics.arm_low_rad + config.joint_margin_rad
        self._high = kinematics.arm_high_rad - config.joint_margin_rad
        self._kinematics = kinematics

    def apply(self, target: Target, context: Context) -> tuple[Target | None, Reason | None]:
        """See `Stage`."""
        if target.arm_rad is None:
            return target, None
        inside = np.minimum(np.maximum(target.arm_rad, self._low), self._high)
        if (inside == target.arm_rad).all():
            return target, None
        return Target(self._kinematics.tcp_pose(inside), target.hand_rad, inside), Reason.ARM_LIMITS
