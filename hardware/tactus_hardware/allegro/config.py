"""Parameters of an Allegro Hand V5 Sense."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_hardware.joints import JointConfig


@dataclass(frozen=True, kw_only=True)
class AllegroConfig(JointConfig):
    """Where the hand is, and how firmly it moves."""

    host: str = param("192.168.0.50", doc="Address of the hand.")
    port: int = param(7000, low=1, high=65_535, doc="UDP port of the hand.")
    local_port: int = param(7000, low=0, high=65_535, doc="UDP port that the hand sends to; 0: any, where its firmware answers the sender.")
    stiffness: float = param(1.0, low=0.0, high=1.5, doc="Share of the maker's gains; damping goes with it.")
    current_limit_A: float = param(0.24, low=0.0, high=0.24, doc="Largest motor current; the maker's own limit is 0.24.")
