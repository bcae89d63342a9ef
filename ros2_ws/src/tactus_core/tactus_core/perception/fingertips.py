"""What a skin feels, as one number a fingertip."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.types import Array


def fingertip_force_N(taxels: NDArray[Any]) -> Array:
    """Return the force per fingertip (fingers,), ≥ 0: the length of what its taxels (fingers, taxels, 6), xyz and force, feel together."""
    force_N = taxels[:, :, 3:].sum(axis=1, dtype=np.float64)
    return np.sqrt((force_N * force_N).sum(axis=1))
