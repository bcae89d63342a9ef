"""The target moves no faster than allowed, whatever is asked for."""

import numpy as np

from tactus_core.geometry import rigid
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.motion import shorten, turn_towards
from tactus_core.guard.types import Context, Reason
from tactus_core.types import Target


class Speed:
    """Limits the step from the target executed last: translation, rotation, and each joint of the hand."""

    def __init__(self, config: GuardConfig) -> None:
        self._m_s, self._rad_s, self._hand_rad_s = config.max_speed_m_s, config.max_speed_rad_s, config.max_hand_speed_rad_s

    def apply(self, target: Target, context: Context) -> tuple[Target | None, Reason | None]:
        """See `Stage`."""
        last, time_s = context.executed, context.dt_s * context.speed_share
        p_last = last.T_base_tcp[:3, 3]
        step, moved = shorten(target.T_base_tcp[:3, 3] - p_last, self._m_s * time_s)
        R, turned = turn_towards(last.T_base_tcp[:3, :3], target.T_base_tcp[:3, :3], self._rad_s * time_s)
        hand, reached = target.hand_rad, True
        if hand is not None:
            hand_last = last.hand_rad if last.hand_rad is not None else context.state.hand_position_rad
            span = self._hand_rad_s * time_s
            near = np.minimum(np.maximum(hand, hand_last - span), hand_last + span)
            hand, reached = near, bool((near == hand).all())
        if not (moved or turned) and reached:
            return target, None
        return Target(rigid(p_last + step, R), hand), Reason.SPEED
