"""Where the whole arm would be: links stay out of half-spaces, away from each other, and joints away from their limits."""

from collections.abc import Callable

import numpy as np

from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import Context, Reason
from tactus_core.kinematics import Kinematics
from tactus_core.types import Array, Target


class Posture:
    """Refuses a target whose posture violates a margin, unless it leads away from there: a robot that is too near may always retreat.

    The posture of a Cartesian target is foretold by one step of inverse kinematics from the measured joints. It stands behind the reference
    error, which keeps targets so near that one step tells it.
    """

    def __init__(self, config: GuardConfig, kinematics: Kinematics) -> None:
        self._kinematics = kinematics
        low, high = kinematics.arm_low_rad, kinematics.arm_high_rad
        self._rules: tuple[tuple[Callable[[Array], float], float, Reason], ...] = (
            (lambda q: float(np.minimum(q - low, high - q).min()), config.joint_margin_rad, Reason.ARM_LIMITS),
            (kinematics.clearance(config.edges), config.link_margin_m, Reason.LINK_WORKSPACE),
            (kinematics.clearance(), config.self_margin_m, Reason.SELF_COLLISION),
        )

    def apply(self, target: Target, context: Context) -> tuple[Target | None, Reason | None]:
        """See `Stage`."""
        q = context.state.arm_position_rad
        if q is None:
            return None, Reason.STATE_MISSING
        goal = target.arm_rad if target.arm_rad is not None else self._kinematics.towards(q, target.T_base_tcp)
        for distance, margin, reason in self._rules:
            after = distance(goal)
            if after < margin and after <= distance(q):
                return None, reason
        return target, None
