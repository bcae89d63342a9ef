"""A finger that presses or strains too hard gives way."""

from collections.abc import Sequence

import numpy as np

from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import Context, Reason
from tactus_core.types import Array, Target


class Fingers:
    """Draws a finger's targets towards its measured joints: not at all up to `slow_share` of its limits, all the way at the limits.

    joints: for each finger the indices of its joints in the hand. Where the hand should feel and its touch is unknown, targets are refused.
    """

    def __init__(self, config: GuardConfig, joints: Sequence[Sequence[int]]) -> None:
        self._config, self._joints = config, [np.array(finger) for finger in joints]

    def apply(self, target: Target, context: Context) -> tuple[Target | None, Reason | None]:
        """See `Stage`."""
        force_N, effort_Nm = context.state.fingertip_force_N, context.state.hand_effort_Nm
        if self._config.fingertips and not np.isfinite(force_N).all():
            return None, Reason.TOUCH_MISSING
        if target.hand_rad is None or self._relaxed(force_N, effort_Nm):
            return target, None
        hand = None
        for finger, joints in enumerate(self._joints):
            strain = self._strain(finger, joints, force_N, effort_Nm)
            if not strain <= self._config.slow_share:  # NaN as well: a motor that does not say its torque is not trusted to be weak
                left = (1.0 - strain) / (1.0 - self._config.slow_share) if strain < 1.0 else 0.0
                measured = context.state.hand_position_rad[joints]
                hand = target.hand_rad.copy() if hand is None else hand
                hand[joints] = measured + left * (hand[joints] - measured)
        return (target, None) if hand is None else (Target(target.T_base_tcp, hand, target.arm_rad), Reason.FINGER_FORCE)

    def _relaxed(self, force_N: Array, effort_Nm: Array | None) -> bool:
        """Say whether no joint and no fingertip strains: the usual case, told in a third of the time. False where one is NaN."""
        c = self._config
        felt = c.fingertips and not all(map((c.slow_share * c.max_fingertip_force_N).__ge__, map(abs, force_N.tolist())))
        strained = effort_Nm is not None and not all(map((c.slow_share * c.max_finger_effort_Nm).__ge__, map(abs, effort_Nm.tolist())))
        return not felt and not strained

    def _strain(self, finger: int, joints: Array, force_N: Array, effort_Nm: Array | None) -> float:
        """Return the larger of fingertip force and joint torque, each as a share of its limit; NaN where the torque is."""
        force = abs(float(force_N[finger])) / self._config.max_fingertip_force_N if self._config.fingertips else 0.0
        if effort_Nm is None:
            return force
        effort = float(np.abs(effort_Nm[joints]).max()) / self._config.max_finger_effort_Nm
        return force if effort <= force else effort
