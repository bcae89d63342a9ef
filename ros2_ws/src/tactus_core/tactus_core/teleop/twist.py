"""Axes say how fast the tcp moves."""

import numpy as np

from tactus_core.geometry import rigid, rotation_matrix
from tactus_core.teleop.axes import shaped
from tactus_core.teleop.config import TwistConfig
from tactus_core.teleop.port import pose_towards
from tactus_core.types import Array, RobotState, Target


class TwistMotion:
    """A `Motion`. A reading is (6,) axes of −1..1: along x y z, then about them, of base or of the tcp."""

    def __init__(self, config: TwistConfig) -> None:
        self._config = config

    def refusal(self, reading: Array, state: RobotState) -> str:
        """See `Motion`: it may always."""
        return ""

    def engage(self, reading: Array, state: RobotState) -> None:
        """See `Motion`."""
        self._T = state.T_base_tcp.copy()

    def target(self, reading: Array, state: RobotState, dt_s: float) -> Target:
        """See `Motion`."""
        c = self._config
        worth = shaped(reading, c.dead_band, c.curve)
        step_m, turn_rad = _at_most_one(worth[:3]) * c.speed_m_s * dt_s, _at_most_one(worth[3:]) * c.speed_rad_s * dt_s
        R = self._T[:3, :3]
        if c.frame == "tcp":
            step_m, turn_rad = R @ step_m, R @ turn_rad
        T = rigid(self._T[:3, 3] + step_m, rotation_matrix(turn_rad) @ R)
        self._T = pose_towards(state.T_base_tcp, T, c.lead_m, c.lead_rad)
        return Target(self._T, None)


def _at_most_one(vector: Array) -> Array:
    """Return the vector, of length 1 where it was longer: the corner of a stick is no faster than its edge."""
    return vector / max(float(np.linalg.norm(vector)), 1.0)
