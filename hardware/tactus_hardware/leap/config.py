"""Parameters of a LEAP hand."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_hardware.servos import ServoConfig


@dataclass(frozen=True, kw_only=True)
class LeapConfig(ServoConfig):
    """Where the hand is, and how firmly it moves. The defaults are those of the maker's own software, for a hand of XC330 servos."""

    baud: int = param(4_000_000, low=9600, high=4_500_000, doc="Baud rate that the servos are set to.")
    current_limit_A: float = param(0.35, low=0.0, high=1.75, doc="Largest motor current; the maker says 0.35 (lite) and 0.55 (full).")
    stiffness: int = param(600, low=0, high=16_383, doc="Position gain P; joints that spread the fingers take three quarters of it.")
    damping: int = param(200, low=0, high=16_383, doc="Position gain D; three quarters of it alike.")
    bus_watchdog_s: float = param(0.2, low=0.02, high=2.54, doc="Silence after which the servos themselves stop: this process may die.")
