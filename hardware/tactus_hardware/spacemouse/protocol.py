"""spacenavd's socket: records of eight native int32, of which the first is the kind of event.

Motion: x y z rx ry rz in counts, milliseconds since the last one. Press and release: the button. A client that begins with `HELLO` and
hears it back speaks protocol 1, in which the daemon also tells of devices that come and go. From spacenavd's header proto.h; of its axes
x points right, y up and z away from the user.
"""

import struct
from dataclasses import dataclass

import numpy as np

from tactus_core.errors import DataError
from tactus_core.types import Array

HELLO = struct.pack("=i", 0x7FAA5501)
_EVENT = struct.Struct("=8i")
EVENT_BYTES = _EVENT.size
MOTION, PRESS, RELEASE, DEVICE = range(4)
LAST_KIND = 6  # two of its configuration and of raw axes and buttons come between, which nobody asked for
MOST_COUNTS, MOST_BUTTONS = 4096, 64
_FEWEST_BUTTONS = 2
# x forward, y left, z up, and the turns about them: which of the daemon's axes, and with which sign.
_PLACES, _SIGNS = [2, 0, 1, 5, 3, 4], np.array([1.0, -1.0, 1.0, 1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Event:
    """kind: see above. values: the seven numbers that come with it."""

    kind: int
    values: tuple[int, ...]


def parse_event(record: bytes) -> Event:
    """Return the event of a record; raises DataError for what cannot be one."""
    kind, *values = _EVENT.unpack(record)
    counts, period = values[:6], values[6]
    good = 0 <= kind <= LAST_KIND
    if kind == MOTION:
        good = all(abs(count) <= MOST_COUNTS for count in counts) and period >= 0
    elif kind in (PRESS, RELEASE):
        good = 0 <= values[0] < MOST_BUTTONS
    if not good:
        raise DataError(f"spacenavd says {[kind, *values]}, which is no event")
    return Event(kind, tuple(values))


def pack_event(event: Event) -> bytes:
    """Return the record of an event."""
    return _EVENT.pack(event.kind, *event.values)


class Puck:
    """What the events so far say of a puck. counts: of its six axes, None before the first event. buttons: 1 where one is down."""

    def __init__(self) -> None:
        self.counts: tuple[int, ...] | None = None
        self._down = [0] * _FEWEST_BUTTONS

    @property
    def buttons(self) -> tuple[int, ...]:
        """As far as they are known: one that was never touched may be missing."""
        return tuple(self._down)

    @property
    def pushed(self) -> bool:
        """Whether it is away from rest."""
        return self.counts is not None and any(self.counts)

    def follow(self, event: Event) -> None:
        """Take in what was done to it."""
        if event.kind == MOTION:
            self.counts = event.values[:6]
        elif event.kind in (PRESS, RELEASE):
            button = event.values[0]
            self._down += [0] * (button + 1 - len(self._down))
            self._down[button] = int(event.kind == PRESS)
            self.counts = self.counts or (0,) * 6  # one that was pushed would have said so


def axes(counts: tuple[int, ...], full_counts: float) -> Array:
    """Return (6,) of −1..1 along x forward, y left, z up, then about them, of six counts."""
    return np.clip(_SIGNS * np.array(counts)[_PLACES] / full_counts, -1.0, 1.0)


def counts(axes: Array, full_counts: float) -> tuple[int, ...]:
    """Return the six counts that say these axes."""
    out = np.zeros(6)
    out[_PLACES] = _SIGNS * axes * full_counts
    return tuple(int(count) for count in np.rint(out))
