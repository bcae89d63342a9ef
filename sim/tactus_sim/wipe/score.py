"""How well a board is being wiped: coverage, force in its band, peak force."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tactus_core.types import Array, Outcome
from tactus_sim.robot import PAD_SIZE_m
from tactus_sim.wipe.layout import Layout

BAND_N = (2.0, 15.0)
PEAK_N = 30.0
COVERAGE = IN_BAND = 0.90


@dataclass
class Score:
    """Running score of one episode. Stroke time runs from the first contact to the end: lost contact counts against the band."""

    layout: Layout
    left: NDArray[np.uint8] = field(init=False)
    contact_at_s: float | None = None
    peak_N: float = 0.0
    _stroke_ticks: int = 0
    _good_ticks: int = 0

    def __post_init__(self) -> None:
        """Start with every mark on the board."""
        self.left = np.ones(len(self.layout.marks_m), dtype=np.uint8)

    def feel(self, now_s: float, normal_N: float, peak_N: float) -> None:
        """Count one tick with the mean and the largest normal force [N] in it."""
        self.peak_N = max(self.peak_N, peak_N)
        if self.contact_at_s is None:
            if normal_N < BAND_N[0]:
                return
            self.contact_at_s = now_s
        self._stroke_ticks += 1
        self._good_ticks += BAND_N[0] <= normal_N <= BAND_N[1]

    def wipe(self, pad_xy_m: Array, pad_turn: Array, normal_N: float, centre_m: Array) -> None:
        """Remove the marks under the pad where it presses.

        pad_xy_m (2,), pad_turn (2,2): pose of the pad in the board's plane. centre_m (2,): centre of pressure in the pad's frame.
        The pressure is taken as linear over the pad; a mark goes where it reaches that of BAND_N[0] spread evenly.
        """
        size = np.array(PAD_SIZE_m[:2])
        uv = (self.layout.marks_m - pad_xy_m) @ pad_turn
        under = np.all(np.abs(uv) <= size / 2, axis=1)
        local_N = normal_N * (1.0 + 12.0 * (uv * centre_m / size**2).sum(axis=1))
        self.left[under & (local_N >= BAND_N[0])] = 0

    @property
    def wiped(self) -> float:
        """Share of the marks that are gone."""
        return float(1.0 - self.left.mean())

    @property
    def in_band(self) -> float:
        """Share of stroke time with the force in its band; 0 before the first contact."""
        return self._good_ticks / self._stroke_ticks if self._stroke_ticks else 0.0

    def outcome(self, now_s: float) -> Outcome:
        """Return the score so far; `now_s` is the time since the episode's start."""
        success = self.wiped >= COVERAGE and self.in_band >= IN_BAND and self.peak_N <= PEAK_N
        parts = {
            "wiped": self.wiped,
            "in_band": self.in_band,
            "peak_force_N": self.peak_N,
            "stroke_s": now_s - self.contact_at_s if self.contact_at_s is not None else 0.0,
            "episode_s": now_s,
        }
        return Outcome(self.layout.seed, success, parts)
