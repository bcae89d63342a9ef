"""Motion may only begin where the robot is."""

import numpy as np

from tactus_core.geometry import rotation_vector
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import Context, Reason
from tactus_core.types import Target


class StartJump:
    """Refuses a target far from where the robot is while it is at rest; in motion the rates deal with it."""

    def __init__(self, config: GuardConfig) -> None:
        self._limit_m = config.start_jump_m
        self._limit_rad = config.start_jump_rad

    def apply(self, target: Target, context: Context) -> tuple[Target | None, Reason | None]:
        """See `Stage`."""
        if context.running:
            return target, None
        if target.arm_rad is not None:
            q = context.state.arm_position_rad
            near = q is not None and bool(np.abs(target.arm_rad - q).max() <= self._limit_rad)
            return (target, None) if near else (None, Reason.START_JUMP)
        measured = context.state.T_base_tcp
        away_m = np.linalg.norm(target.T_base_tcp[:3, 3] - measured[:3, 3])
        away_rad = np.linalg.norm(rotation_vector(measured[:3, :3].T @ target.T_base_tcp[:3, :3]))
        if away_m <= self._limit_m and away_rad <= self._limit_rad:
            return target, None
        return None, Reason.START_JUMP
