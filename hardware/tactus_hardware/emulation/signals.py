"""What an emulated force/torque sensor feels."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tactus_core.errors import ConfigError, DataError
from tactus_core.types import Array
from tactus_hardware.recording import open_recording
from tactus_hardware.recording.port import WRENCH_RAW

_NOISE = np.array([0.02] * 3 + [0.001] * 3)


class Feeling:
    """A wrench (6,) that the environment applies to the tool, force_N then torque_Nm, with noise; or a recorded one, again and again.

    A recording is played as it is: no noise is added, torque that was not recorded is zero, and between its samples the last one stands.
    """

    def __init__(self, recording: Path | None = None, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._wrench = np.zeros(6)
        self._recorded = None if recording is None else _wrenches(recording)

    def press(self, wrench: Sequence[float]) -> None:
        """Feel this from now on; raises ConfigError where it is not (6,), or a recording is what is felt."""
        if self._recorded is not None or len(wrench) != 6:
            raise ConfigError(f"cannot be pressed with {wrench}: expected force_N and torque_Nm, 6 numbers, and nothing that is played.")
        self._wrench = np.array(wrench)

    def at(self, time_s: float) -> Array:
        """Return the wrench (6,) at a time from the start."""
        if self._recorded is None:
            return self._wrench + self._random.normal(0.0, _NOISE)
        times_s, wrenches = self._recorded
        at_s = time_s % (times_s[-1] + times_s[-1] / len(times_s))
        return wrenches[np.searchsorted(times_s, at_s, side="right") - 1]


def _wrenches(path: Path) -> tuple[Array, Array]:
    samples = [(s.time_s, s.value) for s in open_recording(path).samples() if s.stream == WRENCH_RAW]
    if len(samples) < 2:
        raise DataError(f"{path} holds {len(samples)} raw wrenches, expected at least two. Name a recording of a force/torque sensor.")
    return np.array([time_s for time_s, _ in samples]), np.nan_to_num(np.array([value for _, value in samples]))
