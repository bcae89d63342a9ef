"""Makes the readings of a force/torque sensor fit for use: free of bias, without glitches, and never old ones passed on as new.

A reading that jumps alone is not passed on; a change that lasts two readings is. Nothing is made up in place of what is left out:
the stream has a hole, and whoever reads it judges its age. There is no low-pass: it would delay contact, and the sensor has its own.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tactus_core.config import param
from tactus_core.freshness import CLOCK_STEP_S
from tactus_core.types import Array


@dataclass(frozen=True)
class WrenchFilterConfig:
    """Parameters of the filter."""

    bias_readings: int = param(200, low=2, high=100_000, doc="Readings of the unloaded, still sensor whose mean is the bias.")
    still_N: float = param(0.5, low=0.001, high=100.0, doc="Standard deviation of force up to which the sensor counts as still.")
    still_Nm: float = param(0.05, low=0.0001, high=10.0, doc="The same, for torque.")
    spike_N: float = param(0.5, low=0.001, high=1000.0, doc="How far a reading must stick out from both neighbours to be a spike.")
    spike_Nm: float = param(0.05, low=0.0001, high=100.0, doc="The same, for torque.")
    range_N: float = param(1000.0, low=1.0, high=1e5, doc="Largest force that the sensor can mean.")
    range_Nm: float = param(100.0, low=0.1, high=1e4, doc="Largest torque that the sensor can mean.")
    noisy: bool = param(
        True, doc="The sensor's noise shows in each reading: one that equals the last to the bit is the last, not a new one."
    )
    stuck_s: float = param(0.05, low=0.001, high=10.0, doc="Repetition of one reading from which a noisy sensor counts as stuck.")


class WrenchEventKind(StrEnum):
    """bias: it is known now. spike: jumped alone. out_of_range: not finite, or more than the sensor can mean. stuck: repeats for too long.

    late: its stamp is not after the last one's. One that goes back by more than CLOCK_STEP_S begins a new time instead.
    """

    BIAS = "bias"
    SPIKE = "spike"
    OUT_OF_RANGE = "out_of_range"
    STUCK = "stuck"
    LATE = "late"


@dataclass(frozen=True)
class WrenchEvent:
    """Something to be told: when, what, the reading (for BIAS the bias), and how far it sticks out [N or Nm], NaN if it does not."""

    stamp_s: float
    kind: WrenchEventKind
    value: Array
    excess: float = float("nan")


@dataclass(frozen=True)
class FilteredWrench:
    """A reading that passed: its own stamp, and its value free of bias, force_N (3,) or force_N, torque_Nm (6,)."""

    stamp_s: float
    value: Array


class WrenchFilter:
    """Delay: a reading is judged, and passed on with its own stamp, when the next one has come.

    Readings are (3,) force_N or (6,) force_N, torque_Nm; the first one says which. `counts`: records taken in, repeats, readings
    left out by kind, and readings passed on.
    """

    def __init__(self, config: WrenchFilterConfig) -> None:
        self._config = config
        self._channels = 0
        self._pending: tuple[float, Array] | None = None  # the newest reading, not judged yet
        self._before: Array | None = None  # the reading before it that passed
        self._new_s = -np.inf  # when the newest reading began
        self._stamp_s = -np.inf
        self._stuck = False
        self._still: deque[Array] = deque(maxlen=config.bias_readings)
        self.bias: Array | None = None
        self.counts = dict.fromkeys(("records", "repeats", "spikes", "out_of_range", "late", "passed"), 0)

    def step(self, stamp_s: float, record: Array) -> tuple[FilteredWrench | None, tuple[WrenchEvent, ...]]:
        """Take in a record; return the reading that passes now, if one does, and what there is to tell."""
        self.counts["records"] += 1
        if stamp_s < self._stamp_s - CLOCK_STEP_S:
            self._pending = self._before = None  # the sensor's clock was set back: neighbours of another time say nothing
        elif not stamp_s > self._stamp_s:
            return None, self._leave_out("late", WrenchEvent(stamp_s, WrenchEventKind.LATE, record.copy()))
        self._stamp_s = stamp_s
        if not self._in_range(record):
            return None, self._leave_out("out_of_range", WrenchEvent(stamp_s, WrenchEventKind.OUT_OF_RANGE, record.copy()))
        if self._config.noisy and self._pending is not None and np.array_equal(record, self._pending[1]):
            return None, self._repeat(stamp_s)
        self._new_s, self._stuck = stamp_s, False
        judged, self._pending = self._pending, (stamp_s, record.copy())
        return (None, ()) if judged is None else self._judge(*judged, record)

    def _in_range(self, record: Array) -> bool:
        self._channels = self._channels or len(record)
        if len(record) != self._channels:
            return False
        # Written so that NaN fails as well.
        return bool((np.abs(record) <= self._limits(self._config.range_N, self._config.range_Nm)).all())

    def _limits(self, force_N: float, torque_Nm: float) -> Array:
        return np.array([force_N] * 3 + [torque_Nm] * 3)[: self._channels]

    def _leave_out(self, count: str, event: WrenchEvent) -> tuple[WrenchEvent, ...]:
        self.counts[count] += 1
        return (event,)

    def _repeat(self, stamp_s: float) -> tuple[WrenchEvent, ...]:
        self.counts["repeats"] += 1
        if self._stuck or stamp_s - self._new_s < self._config.stuck_s or self._pending is None:
            return ()
        self._stuck = True
        return (WrenchEvent(stamp_s, WrenchEventKind.STUCK, self._pending[1]),)

    def _judge(self, stamp_s: float, reading: Array, after: Array) -> tuple[FilteredWrench | None, tuple[WrenchEvent, ...]]:
        # The first reading has no neighbour on one side: it is only ever a neighbour.
        if self._before is None:
            self._before = reading
            return None, ()
        excess = np.abs(reading - np.median((self._before, reading, after), axis=0))
        if (excess > self._limits(self._config.spike_N, self._config.spike_Nm)).any():
            return None, self._leave_out("spikes", WrenchEvent(stamp_s, WrenchEventKind.SPIKE, reading, float(excess.max())))
        self._before = reading
        if self.bias is None:
            return None, self._seek_bias(stamp_s, reading)
        self.counts["passed"] += 1
        return FilteredWrench(stamp_s, reading - self.bias), ()

    def _seek_bias(self, stamp_s: float, reading: Array) -> tuple[WrenchEvent, ...]:
        self._still.append(reading)
        if len(self._still) < self._config.bias_readings:
            return ()
        readings = np.array(self._still)
        if not (readings.std(axis=0) <= self._limits(self._config.still_N, self._config.still_Nm)).all():
            return ()
        self.bias = readings.mean(axis=0)
        self._still.clear()
        return (WrenchEvent(stamp_s, WrenchEventKind.BIAS, self.bias),)
