"""A hand in space moves the tcp as it moves itself, from where both were when it took hold."""

import numpy as np

from tactus_core.errors import DataError
from tactus_core.geometry import rigid, rotation_matrix
from tactus_core.teleop.config import PoseConfig
from tactus_core.teleop.port import pose_towards
from tactus_core.types import Array, RobotState, Target


class PoseMotion:
    """A `Motion`. A reading is T (4,4) of the hand, in a frame that stands still."""

    def __init__(self, config: PoseConfig) -> None:
        self._config = config
        self._R_base_device = rotation_matrix(np.array(config.turn_base_device_rad))

    def refusal(self, reading: Array, state: RobotState) -> str:
        """See `Motion`: it may always."""
        return ""

    def engage(self, reading: Array, state: RobotState) -> None:
        """See `Motion`."""
        self._hand, self._tcp = reading.copy(), state.T_base_tcp.copy()
        self._T, self._last = self._tcp, self._hand

    def target(self, reading: Array, state: RobotState, dt_s: float) -> Target:
        """See `Motion`."""
        c, R_bd = self._config, self._R_base_device
        jump_m = float(np.linalg.norm(reading[:3, 3] - self._last[:3, 3]))
        if not jump_m <= c.jump_m:
            raise DataError(f"the tracked hand jumped by {jump_m:.2f} m, at most {c.jump_m} m are believed. Track it again, then press.")
        self._last = reading
        moved_m = R_bd @ (reading[:3, 3] - self._hand[:3, 3])
        turn = R_bd @ reading[:3, :3] @ self._hand[:3, :3].T @ R_bd.T
        wanted = rigid(self._tcp[:3, 3] + c.scale * moved_m, turn @ self._tcp[:3, :3])
        T = pose_towards(self._T, wanted, c.speed_m_s * dt_s, c.speed_rad_s * dt_s)
        self._T = pose_towards(state.T_base_tcp, T, c.lead_m, c.lead_rad)
        return Target(self._T, None)
