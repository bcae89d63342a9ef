"""What an episode's seed decides: where the hole is, how wide, how the peg sits in the hand, and where the hand starts.

How far these may go is a `Ranges`: the usual ones, or those of a shift, on which a policy that learnt the usual ones is to go on learning.

Seeds below 100 000 are for demonstrations and training, 100 000–199 999 for tuning, above only for reported results.
"""

from dataclasses import dataclass

import numpy as np

from tactus_core.config import param
from tactus_core.geometry import rigid, rotation_matrix
from tactus_core.types import Array

DURATION_s = 8.0
HOLE_m = np.array([0.47, 0.0, 0.15])  # where the centre of its rim should be, its axis upright
DEPTH_m = 0.025
_START_m = np.array([0.0, 0.0, 0.07])  # from the hole's rim to the peg's end
_START_SPREAD_m = np.array([0.03, 0.03, 0.01])


@dataclass(frozen=True)
class Ranges:
    """What may differ between episodes. Errors are drawn evenly on each axis, to either side."""

    peg_side_m: float = param(0.020, low=0.008, high=0.030, doc="Side of the square peg.")
    clearance_m: tuple[float, float] = param((0.0005, 0.001), low=0.0, high=0.01, doc="Of the peg's side to the hole's, both together.")
    friction: tuple[float, float] = param((0.15, 0.3), low=0.0, high=2.0, doc="Between peg and block.")
    error_m: float = param(0.004, low=0.0, high=0.02, doc="Of the hole's place.")
    error_rad: float = param(float(np.radians(3.0)), low=0.0, high=0.3, doc="Of the hole's rotation.")
    in_hand_m: float = param(0.001, low=0.0, high=0.005, doc="Of the peg's place in the hand, sideways.")
    turned_rad: float = param(0.0, low=-0.15, high=0.15, doc="Middle of the peg's yaw in the hand.")
    in_hand_rad: float = param(float(np.radians(1.0)), low=0.0, high=0.1, doc="Of the peg's yaw in the hand.")


USUAL = Ranges()
SHIFTS = {
    # Another peg, and a hole that is further off.
    "smaller": Ranges(peg_side_m=0.0185, friction=(0.2, 0.35), error_m=0.0045, error_rad=float(np.radians(3.5))),
    # A hole still further off, and a peg that sits turned in the hand.
    "peg": Ranges(peg_side_m=0.0185, friction=(0.35, 0.5), error_m=0.006, error_rad=float(np.radians(3.5)), turned_rad=0.14),
}


@dataclass(frozen=True)
class Layout:
    """One episode. T_base_hole (4,4): centre of the rim, z out of the hole. T_tcp_peg (4,4): the peg's end as it sits in the hand.

    side_m: of the peg. start_m: (3,) where the tcp starts, in base.
    """

    seed: int
    T_base_hole: Array
    T_tcp_peg: Array
    side_m: float
    clearance_m: float
    friction: float
    start_m: Array

    @property
    def in_hand(self) -> tuple[float, float, float]:
        """Positions of the peg's joints: x and y [m], yaw [rad]."""
        T = self.T_tcp_peg
        return float(T[0, 3]), float(T[1, 3]), float(np.arctan2(T[1, 0], T[0, 0]))


def draw(seed: int, ranges: Ranges = USUAL) -> Layout:
    """Return the episode that `seed` determines."""
    rng, r = np.random.default_rng(seed), ranges
    error_m, error_rad = rng.uniform(-r.error_m, r.error_m, 3), rng.uniform(-r.error_rad, r.error_rad, 3)
    in_hand_m, yaw_rad = rng.uniform(-r.in_hand_m, r.in_hand_m, 2), r.turned_rad + rng.uniform(-r.in_hand_rad, r.in_hand_rad)
    return Layout(
        seed=seed,
        T_base_hole=rigid(HOLE_m + error_m, rotation_matrix(error_rad)),
        T_tcp_peg=rigid(np.append(in_hand_m, 0.0), rotation_matrix(np.array([0.0, 0.0, yaw_rad]))),
        side_m=r.peg_side_m,
        clearance_m=rng.uniform(*r.clearance_m),
        friction=rng.uniform(*r.friction),
        start_m=HOLE_m + _START_m + rng.uniform(-_START_SPREAD_m, _START_SPREAD_m),
    )
