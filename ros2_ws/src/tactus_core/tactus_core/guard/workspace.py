"""The tcp stays in a box."""

import numpy as np

from tactus_core.geometry import rigid
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import Context, Reason
from tactus_core.types import Target


class Workspace:
    """Moves a target outside the box to the nearest point of it; joint targets that lead out of it, or farther out, are refused."""

    def __init__(self, config: GuardConfig) -> None:
        self._low, self._high = np.array(config.workspace_low_m), np.array(config.workspace_high_m)

    def apply(self, target: Target, context: Context) -> tuple[Target | None, Reason | None]:
        """See `Stage`."""
        position = target.T_base_tcp[:3, 3]
        inside = np.minimum(np.maximum(position, self._low), self._high)
        if (inside == position).all():
            return target, None
        if target.arm_rad is not None:
            here = context.state.T_base_tcp[:3, 3]
            outside = np.abs(here - np.minimum(np.maximum(here, self._low), self._high)).max()
            return (target, None) if np.abs(inside - position).max() < outside else (None, Reason.WORKSPACE)
        return Target(rigid(inside, target.T_base_tcp[:3, :3]), target.hand_rad), Reason.WORKSPACE
