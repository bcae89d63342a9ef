"""The force trace of a hand-guided Panda (Panda-Co-Manipulation-Dataset): a MATLAB 5 file with the struct array `symbol_data`.

Each element is a take with `pos` [m], `vel` [m/s] and `F` [N], each (3, T). It has no time stamps. The dataset's example uses 1 ms, but
positions and velocities agree only with 690 to 700 samples per second, which is therefore the default.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io

from tactus_core.errors import DataError
from tactus_core.types import Array
from tactus_hardware.recording.port import TCP_POSITION, WRENCH_RAW, RecordingInfo, Sample

RATE_HZ = 694.0
DEFAULT_TAKE = 5
_VARIABLE = "symbol_data"
_FIELDS = ("pos", "vel", "F")


class MatRecording:
    """One take: raw forces, and the tool's position."""

    def __init__(self, path: Path, take: int, rate_Hz: float) -> None:
        takes = load_takes(path)
        take = take or min(DEFAULT_TAKE, len(takes))
        if take > len(takes):
            raise DataError(f"{path} holds {len(takes)} takes, and take {take} was asked for. Choose 1 to {len(takes)}.")
        self._position_m, velocity_m_s, self._force_N = takes[take - 1]
        self._rate_Hz = rate_Hz or RATE_HZ
        source = "asked for" if rate_Hz else "default: what positions and velocities of this dataset agree with"
        samples = len(self._force_N)
        notes = (
            f"Take {take} of {len(takes)}.",
            f"The file has no time stamps: {self._rate_Hz:g} Hz is assumed. Its velocities agree with its positions at "
            f"{_agreeing_rate_Hz(self._position_m, velocity_m_s):.0f} Hz in this take; the dataset's example says 1000 Hz.",
            "Units (m, N) and the force's frame and sign are inferred; torque, orientation and joint states were not recorded.",
        )
        counts = {WRENCH_RAW: samples, TCP_POSITION: samples}
        self.info = RecordingInfo("mat", samples / self._rate_Hz, counts, self._rate_Hz, source, notes)

    def samples(self) -> Iterator[Sample]:
        """See `Recording`."""
        for i, (position_m, force_N) in enumerate(zip(self._position_m, self._force_N, strict=True)):
            time_s = i / self._rate_Hz
            yield Sample(time_s, time_s, TCP_POSITION, position_m)
            yield Sample(time_s, time_s, WRENCH_RAW, np.concatenate([force_N, np.full(3, np.nan)]))


def read(path: Path, take: int, rate_Hz: float) -> MatRecording:
    """Return a take of a force trace."""
    return MatRecording(path, take, rate_Hz)


def load_takes(path: Path) -> list[tuple[Array, Array, Array]]:
    """Return position [m], velocity [m/s] and force [N] of every take, each (samples, 3); raises DataError."""
    try:
        found = scipy.io.loadmat(path, variable_names=[_VARIABLE], squeeze_me=True, struct_as_record=False)
    except (ValueError, TypeError, OSError, EOFError, KeyError, NotImplementedError, zlib.error, scipy.io.matlab.MatReadError) as error:
        raise DataError(f"{path} is damaged, or not MATLAB 5: {error}. Copy it again, and compare its checksum.") from None
    if _VARIABLE not in found:
        raise DataError(f"{path} has no variable '{_VARIABLE}': it is not a force trace of the Panda-Co-Manipulation-Dataset.")
    return [_take(element, f"{path}, take {i}") for i, element in enumerate(np.atleast_1d(found[_VARIABLE]), start=1)]


def _take(element: Any, source: str) -> tuple[Array, Array, Array]:
    arrays = [getattr(element, name, None) for name in _FIELDS]
    # Anything but plain numbers (function handles, objects) is refused, not looked into.
    shapes = [a.shape if isinstance(a, np.ndarray) and a.dtype == np.float64 else type(a).__name__ for a in arrays]
    if len(set(shapes)) != 1 or not isinstance(shapes[0], tuple) or len(shapes[0]) != 2 or shapes[0][0] != 3 or shapes[0][1] < 2:
        raise DataError(f"{source}: {', '.join(_FIELDS)} are {shapes}; expected three float64 arrays (3, samples), at least two samples.")
    position_m, velocity_m_s, force_N = (np.ascontiguousarray(a.T) for a in arrays if a is not None)
    return position_m, velocity_m_s, force_N


def _agreeing_rate_Hz(position_m: Array, velocity_m_s: Array) -> float:
    moved_m = np.diff(position_m, axis=0)
    mean_m_s = (velocity_m_s[1:] + velocity_m_s[:-1]) / 2
    # The step that fits best: moved = dt · velocity.
    return float((mean_m_s**2).sum() / (moved_m * mean_m_s).sum())
