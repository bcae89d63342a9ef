"""What an episode's seed decides: where the hole is, how wide, how the peg sits in the hand, and where the hand starts.

Seeds below 100 000 are for demonstrations and training, 100 000–199 999 for tuning, above only for reported results.
"""

from dataclasses import dataclass

import numpy as np

from tactus_core.geometry import rigid, rotation_matrix
from tactus_core.types import Array

DURATION_s = 8.0
HOLE_m = np.array([0.47, 0.0, 0.15])  # where the centre of its rim should be, its axis upright
DEPTH_m = 0.025
_ERROR_m, _ERROR_rad = 0.004, np.radians(3.0)
_CLEARANCE_m = (0.0005, 0.001)  # of the peg's side to the hole's, both sides together
_IN_HAND_m, _IN_HAND_rad = 0.001, np.radians(1.0)
_FRICTION = (0.15, 0.3)
_START_m = np.array([0.0, 0.0, 0.07])  # from the hole's rim to the peg's end
_START_SPREAD_m = np.array([0.03, 0.03, 0.01])


@dataclass(frozen=True)
class Layout:
    """One episode. T_base_hole (4,4): centre of the rim, z out of the hole. T_tcp_peg (4,4): the peg's end as it sits in the hand.

    start_m: (3,) where the tcp starts, in base.
    """

    seed: int
    T_base_hole: Array
    T_tcp_peg: Array
    clearance_m: float
    friction: float
    start_m: Array

    @property
    def in_hand(self) -> tuple[float, float, float]:
        """Positions of the peg's joints: x and y [m], yaw [rad]."""
        T = self.T_tcp_peg
        return float(T[0, 3]), float(T[1, 3]), float(np.arctan2(T[1, 0], T[0, 0]))


def draw(seed: int) -> Layout:
    """Return the episode that `seed` determines."""
    rng = np.random.default_rng(seed)
    error_m, error_rad = rng.uniform(-_ERROR_m, _ERROR_m, 3), rng.uniform(-_ERROR_rad, _ERROR_rad, 3)
    in_hand_m, yaw_rad = rng.uniform(-_IN_HAND_m, _IN_HAND_m, 2), rng.uniform(-_IN_HAND_rad, _IN_HAND_rad)
    return Layout(
        seed=seed,
        T_base_hole=rigid(HOLE_m + error_m, rotation_matrix(error_rad)),
        T_tcp_peg=rigid(np.append(in_hand_m, 0.0), rotation_matrix(np.array([0.0, 0.0, yaw_rad]))),
        clearance_m=rng.uniform(*_CLEARANCE_m),
        friction=rng.uniform(*_FRICTION),
        start_m=HOLE_m + _START_m + rng.uniform(-_START_SPREAD_m, _START_SPREAD_m),
    )
