"""What a check has to say, and how it looks at a series of times."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tactus_core.types import Array

_LEAP_PER_S = 6.0


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be. kind: gap, jump, timing, length, value, lost, file.

    episode: what the source calls it. column: or stream. time_s: from the episode's start; NaN where it has no time.
    """

    kind: str
    episode: str
    column: str
    time_s: float
    what: str

    def __str__(self) -> str:
        at = "" if np.isnan(self.time_s) else f" at {self.time_s:.3f} s"
        return f"{self.kind:6} {self.episode}, {self.column}{at}: {self.what}"


@dataclass(frozen=True)
class Place:
    """Where findings belong: makes them without repeating it."""

    episode: str
    column: str

    def finding(self, kind: str, time_s: float, what: str) -> Finding:
        """Return a finding in this place."""
        return Finding(kind, self.episode, self.column, time_s, what)


def irregular(place: Place, times_s: Array, period_s: float, tolerance_s: float) -> Iterator[Finding]:
    """Yield what is wrong in times that should be `period_s` apart: each step back, each gap, and once how many are merely off."""
    step_s = np.diff(times_s)
    for row in np.flatnonzero(step_s <= 0.0).tolist():
        yield place.finding("jump", float(times_s[row]), f"the next time is {-step_s[row]:.4f} s earlier")
    for row in np.flatnonzero(step_s > 1.5 * period_s).tolist():
        yield place.finding("gap", float(times_s[row]), f"the next time is {step_s[row]:.4f} s later, expected {period_s:.4f} s")
    off = np.flatnonzero((np.abs(step_s - period_s) > tolerance_s) & (step_s > 0.0) & (step_s <= 1.5 * period_s))
    if len(off):
        worst_s = float(np.abs(step_s[off] - period_s).max())
        yield place.finding("timing", float(times_s[off[0]]), f"{len(off)} steps are not {period_s:.4f} s, by up to {worst_s:.4f} s")


def leaps(place: Place, values: Array, fps: int) -> Iterator[Finding]:
    """Yield where a signal (rows, places) moves further in one step than a quarter of all it ever does, 30 times its usual step, and fast.

    Fast: more than `_LEAP_PER_S`, which no joint does (rad/s, m/s, or a hand's 0..1).
    """
    step = np.abs(np.diff(values, axis=0))
    if not len(step):
        return
    moving = np.where(step > 0.0, step, np.nan)
    known = np.isfinite(moving).any(axis=0)
    usual = np.nanmedian(np.where(known, moving, 0.0), axis=0)
    # A signal that is mostly at rest has no usual step, and one that switches is meant to.
    often = (step > 0.0).mean(axis=0) > 0.5
    leap = (step > 30.0 * usual) & (step > 0.25 * np.ptp(values, axis=0)) & often & (step * fps > _LEAP_PER_S)
    for row, channel in np.argwhere(leap).tolist():
        what = f"place {channel} moves by {step[row, channel]:.4g} in one step, usually by {usual[channel]:.2g}"
        yield place.finding("jump", (row + 1) / fps, what)
