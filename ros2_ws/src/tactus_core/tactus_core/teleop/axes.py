"""Axes and buttons, as `sensor_msgs/Joy` has them: which of them mean what, and what a deflection is worth."""

from collections.abc import Sequence

import numpy as np

from tactus_core.errors import DataError
from tactus_core.types import Array

UNUSED = -1
# x y z, then the turns about them: what pucks and our keyboard say, in this order already.
IN_ORDER = (0, 1, 2, 3, 4, 5)


class AxisMap:
    """Picks six axes and the dead-man's button out of a reading. places: index of x y z and of the turns about them; −1: has none.

    full: what the device says at full deflection.
    """

    def __init__(self, places: Sequence[int], button: int, full: float) -> None:
        self._used = np.array([i for i, place in enumerate(places) if place != UNUSED], dtype=np.intp)
        self._places = [place for place in places if place != UNUSED]
        self._button, self._full = button, full

    def axes(self, values: Sequence[float]) -> Array:
        """Return (6,), each −1..1; raises DataError where one is missing or not finite."""
        if len(values) <= max(self._places, default=0):
            raise DataError(f"the input device has {len(values)} axes, expected at least {max(self._places) + 1}; set the parameter axes.")
        out = np.zeros(6)
        out[self._used] = [values[place] for place in self._places]
        if not np.isfinite(out).all():
            raise DataError(f"the input device says {list(values)}; expected finite axes. Check what publishes it.")
        return np.clip(out / self._full, -1.0, 1.0)

    def held(self, buttons: Sequence[int]) -> bool:
        """Return whether the dead-man's button is down; raises DataError where there is none."""
        if len(buttons) <= self._button:
            raise DataError(
                f"the input device has {len(buttons)} buttons, expected at least {self._button + 1}; set the parameter dead_man_button."
            )
        return bool(buttons[self._button])


def shaped(axes: Array, dead_band: float, curve: float) -> Array:
    """Return what deflections (n,) of −1..1 are worth: 0 inside the dead band, from there on steadily to ±1, slowly first (curve > 1)."""
    beyond = np.maximum(np.abs(axes) - dead_band, 0.0) / (1.0 - dead_band)
    return np.sign(axes) * np.minimum(beyond, 1.0) ** curve
