"""Durations of a running node, kept so that another process can ask for them."""

import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np

HISTOGRAM_BIN_MS = 0.1
HISTOGRAM_BINS = 200


def epoch_ns() -> int:
    """Return the wall clock's time when the steady clock was 0 [ns]."""
    readings = []
    for _ in range(5):  # the tightest of several: the process may be interrupted between two clocks
        before, wall, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        readings.append((after - before, wall - (before + after) // 2))
    return min(readings)[1]


class Schedule:
    """Absolute deadlines, one per period; `due_s` is the first."""

    def __init__(self, period_s: float, due_s: float = 0.0) -> None:
        self._period_s = period_s
        self._due_s = due_s

    def begin(self, due_s: float) -> None:
        """Set the next deadline."""
        self._due_s = due_s

    def tick(self, now_s: float) -> tuple[float, int]:
        """Return how late `now_s` is [s], and how many deadlines passed unused; the next one is in the future then."""
        late_s = now_s - self._due_s
        missed = max(0, int(late_s / self._period_s))
        self._due_s += (1 + missed) * self._period_s
        return late_s, missed


class Answers:
    """Which touch samples have been answered by a command, told by their stamps [s]. `owed`: a source moves the robot; the last was not."""

    def __init__(self) -> None:
        self._touches: deque[float] = deque(maxlen=100)
        self._touched_s = self._answered_s = -np.inf
        self._driven = False

    @property
    def owed(self) -> bool:
        """Whether the last command answered a touch, and none has answered the last touch yet."""
        return self._driven and self._answered_s < self._touched_s

    def touch(self, stamp_s: float) -> None:
        """Note that a sample was sent."""
        self._touched_s = stamp_s
        self._touches.append(stamp_s)

    def command(self, stamp_s: float) -> bool:
        """Note a command; return whether it answers a touch."""
        self._driven = stamp_s in self._touches
        if self._driven:
            self._answered_s = stamp_s
        return self._driven


class Samples:
    """Durations [ms] since `restart`; the newest `capacity` of them. Adding one allocates nothing."""

    def __init__(self, capacity: int = 1 << 16) -> None:
        self._values = np.zeros(capacity)
        self._count = 0

    def add(self, value_ms: float) -> None:
        """Keep one duration."""
        self._values[self._count % len(self._values)] = value_ms
        self._count += 1

    def recent_p99(self, count: int) -> float:
        """Return the 99th percentile of the newest `count`; NaN where there is none."""
        rows = np.arange(max(0, self._count - count), self._count) % len(self._values)
        return float(np.percentile(self._values[rows], 99)) if len(rows) else float("nan")

    def summary(self) -> dict[str, Any]:
        """Return count, p50, p99, max, and a histogram: HISTOGRAM_BINS bins of HISTOGRAM_BIN_MS, the last one takes all that is longer."""
        values = self._values[: min(self._count, len(self._values))]
        if not len(values):
            return {"count": 0, "p50": None, "p99": None, "max": None, "histogram": []}
        p50, p99 = np.percentile(values, (50, 99))
        bins = np.clip(values / HISTOGRAM_BIN_MS, 0, HISTOGRAM_BINS - 1).astype(int)
        histogram = np.bincount(bins, minlength=HISTOGRAM_BINS)
        return {"count": self._count, "p50": float(p50), "p99": float(p99), "max": float(values.max()), "histogram": histogram.tolist()}

    def restart(self) -> None:
        """Forget all samples."""
        self._count = 0


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used [s]; NaN where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return float("nan")
    # user and system time, in the kernel's fixed 100 ticks a second
    return (int(fields[11]) + int(fields[12])) / 100.0
