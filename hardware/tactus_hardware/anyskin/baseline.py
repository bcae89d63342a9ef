"""The field of a skin that nobody touches; what is felt is the difference to it."""

import numpy as np

from tactus_core.types import Array


class Baseline:
    """The mean of the first readings in a row that hold still. A touch that never moves meanwhile becomes part of it."""

    def __init__(self, readings: int, still_uT: float) -> None:
        self._readings, self._still_uT = readings, still_uT
        self._taken: list[Array] = []
        self._mean: Array | None = None if readings else np.zeros(1)

    def less(self, field_uT: Array) -> Array | None:
        """Return the field (magnetometers, 3) less the baseline; None while that is not known yet, and the field goes into it."""
        if self._mean is not None:
            return field_uT - self._mean
        self._taken.append(field_uT)
        if (np.abs(field_uT - self._taken[0]) > self._still_uT).any():
            self._taken = [field_uT]
        if len(self._taken) == self._readings:
            self._mean = np.mean(self._taken, axis=0)
        return None
