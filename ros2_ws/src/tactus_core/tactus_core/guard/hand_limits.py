"""The hand's joints stay within their limits."""

import numpy as np

from tactus_core.guard.types import Context, Reason
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
        return Target(target.T_base_tcp, inside), Reason.HAND_LIMITS
