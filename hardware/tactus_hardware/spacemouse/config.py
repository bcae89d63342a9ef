"""Parameters of a SpaceMouse."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_hardware.driver import DriverConfig


@dataclass(frozen=True, kw_only=True)
class SpaceMouseConfig(DriverConfig):
    """Where spacenavd listens, and how far the puck goes."""

    socket: str = param("/var/run/spnav.sock", doc="Socket of spacenavd, as its configuration names it.")
    full_counts: float = param(350.0, low=1.0, high=4000.0, doc="What an axis says at its end, at spacenavd's sensitivity 1.")
    pushed_s: float = param(0.3, low=0.05, high=1.0, doc="Silence after which a pushed puck is no longer believed to be pushed.")
