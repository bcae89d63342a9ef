"""Parameters of a GELLO arm."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_hardware.servos import ServoConfig


@dataclass(frozen=True, kw_only=True)
class GelloConfig(ServoConfig):
    """Where the arm is, and how many servos it has."""

    baud: int = param(57_600, low=9600, high=4_500_000, doc="Baud rate that the servos are set to.")
    servos: int = param(7, low=1, high=8, doc="How many there are: ids from 1 on, base first, the trigger last.")
