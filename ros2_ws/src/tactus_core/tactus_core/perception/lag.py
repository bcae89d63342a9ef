"""How much later one sensor tells a motion than another: the shift at which the two signals are most alike."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import DataError
from tactus_core.types import Array

_STEP_S = 0.002
_LEAST_S = 4.0
_LEAST_ALIKE = 0.6
# A periodic motion is as much like itself a period later: the peak has to stand out from all that are farther away than its own width.
_OTHER_S, _OTHER_SHARE = 0.1, 0.9


@dataclass(frozen=True)
class Lag:
    """lag_s: how much later the second signal is, by its stamps; negative where it is earlier. alike: correlation there, at most 1."""

    lag_s: float
    alike: float


def lag(first: tuple[Array, Array], second: tuple[Array, Array], most_s: float = 0.5) -> Lag:
    """Return the lag of `second` behind `first`, each (times [s], values), of at most `most_s` either way.

    Values are whatever grows with the motion: a joint's speed, the change from image to image. Raises DataError where the two do not
    overlap for long enough, do not vary, are not alike anywhere, or are as much alike at two lags.
    """
    begins_s, ends_s = max(first[0][0], second[0][0]) + most_s, min(first[0][-1], second[0][-1]) - most_s
    if not ends_s - begins_s >= _LEAST_S:
        raise DataError(
            f"the signals overlap for {max(ends_s - begins_s, 0.0):.1f} s beside the {most_s} s that they may be apart; expected at "
            f"least {_LEAST_S}. Record for longer, with both sensors running."
        )
    shifts = np.arange(-round(most_s / _STEP_S), round(most_s / _STEP_S) + 1)
    grid_s = np.arange(begins_s, ends_s, _STEP_S)
    reference = _standardised(np.interp(grid_s, *first))
    # The second one on a longer grid, of which each shift is a part.
    longer = np.interp(np.arange(begins_s - most_s, ends_s + most_s + _STEP_S, _STEP_S), *second)
    parts = np.lib.stride_tricks.sliding_window_view(longer, len(grid_s))[: len(shifts)]
    alike = np.array([float(reference @ _standardised(part)) for part in parts]) / len(grid_s)
    best = int(alike.argmax())
    if alike[best] < _LEAST_ALIKE:
        raise DataError(
            f"the two signals are nowhere alike: correlation {alike[best]:.2f} at best, expected {_LEAST_ALIKE}. Move the arm alone, in "
            "view of the camera and by starts and stops, and let nothing else move."
        )
    rivals = _peaks(alike)[np.abs(_peaks(alike) - best) * _STEP_S > _OTHER_S]
    if best in (0, len(alike) - 1) or (len(rivals) and alike[rivals].max() > _OTHER_SHARE * alike[best]):
        raise DataError(
            "the signals are as much alike at several lags: the motion repeats itself, or the lag is longer than "
            f"{most_s} s. Move the arm irregularly."
        )
    return Lag(float(shifts[best] * _STEP_S), float(alike[best]))


def _peaks(values: Array) -> NDArray[np.intp]:
    inner = (values[1:-1] >= values[:-2]) & (values[1:-1] > values[2:])
    return np.flatnonzero(inner) + 1


def _standardised(values: Array) -> Array:
    spread = float(values.std())
    if not spread > 1e-12:
        raise DataError("a signal does not vary at all. Did the arm move, and does the sensor see it?")
    return (values - values.mean()) / spread
