"""What a card says of its residual."""

from dataclasses import dataclass

from tactus_core.config import param

TWIST_SIZE = 6


@dataclass(frozen=True)
class ResidualSpec:
    """A bounded correction of what the fast policy proposes (`policy/residual.py`)."""

    dt_s: float = param(doc="Time between two decisions; a decision is held.", low=0.005, high=1.0)
    limit_m: float = param(doc="Largest correction along each axis of the tool.", low=0.0, high=0.05)
    limit_rad: float = param(doc="Largest correction about each axis of the tool.", low=0.0, high=0.5)
