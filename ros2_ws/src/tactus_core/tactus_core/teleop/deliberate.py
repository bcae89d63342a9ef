"""Taking control by moving the device, where no switch has to be held for it."""

import math

import numpy as np

from tactus_core.teleop.config import TwistConfig
from tactus_core.types import Array


class Deliberate:
    """Axes as a dead-man's switch: held from a push that cannot be chance until the device has been left at rest for a while."""

    def __init__(self, config: TwistConfig) -> None:
        self._config = config
        self._held, self._moved_s = False, -math.inf

    def held(self, axes: Array, now_s: float) -> bool:
        """Return whether the human has it in hand, as its axes (6,) of −1..1 say; `now_s` is of one steady clock."""
        deflection = float(np.abs(axes).max())
        if deflection > (self._config.dead_band if self._held else self._config.push):
            self._moved_s = now_s
        self._held = now_s - self._moved_s <= self._config.rest_s
        return self._held
