"""Position control of a hand that knows currents only: the maker's gains, and a velocity from positions."""

import numpy as np

from tactus_core.types import Array
from tactus_hardware.allegro import protocol
from tactus_hardware.allegro.config import AllegroConfig

_FILTER_S = 0.01  # one count per period is 0.5 rad/s
_LONGEST_GAP_S = 0.05


class PositionControl:
    """PD per joint. `goal_rad` (16,) is where it goes."""

    def __init__(self, config: AllegroConfig, position_rad: Array) -> None:
        """position_rad: (16,) where it is, and is to stay for now."""
        self.goal_rad = position_rad
        self._stiffness, self._limit_A = config.stiffness, config.current_limit_A
        self._position_rad, self._velocity_rad_s = position_rad, np.zeros(16)

    def current_A(self, position_rad: Array, dt_s: float) -> Array:
        """Return the motor currents (16,) for a position that was measured `dt_s` after the one before, within the limit."""
        if dt_s > _LONGEST_GAP_S:
            self._velocity_rad_s = np.zeros(16)
        elif dt_s > 0.0:
            raw_rad_s = (position_rad - self._position_rad) / dt_s
            self._velocity_rad_s = self._velocity_rad_s + (raw_rad_s - self._velocity_rad_s) * dt_s / (_FILTER_S + dt_s)
        self._position_rad = position_rad
        torque_Nm = protocol.GAIN_P_Nm_rad * (self.goal_rad - position_rad) - protocol.GAIN_D_Nms_rad * self._velocity_rad_s
        return np.clip(self._stiffness * torque_Nm * protocol.A_PER_Nm, -self._limit_A, self._limit_A)
