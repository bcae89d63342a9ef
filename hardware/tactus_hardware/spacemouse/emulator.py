"""Fakes spacenavd with a puck: its socket, for one client at a time."""

import random
import time
from collections.abc import Mapping

import numpy as np

from tactus_core.errors import ConfigError
from tactus_hardware.emulation.emulator import Emulator
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.servers import LocalLine
from tactus_hardware.spacemouse import protocol
from tactus_hardware.spacemouse.protocol import DEVICE, MOTION, PRESS, RELEASE, Event

_PERIOD_S = 0.016
_JITTER_COUNTS = 2  # of a hand that holds it
_FULL_COUNTS = 350.0


class SpaceMouseEmulator(Emulator):
    """`set push X Y Z RX RY RZ` of −1..1; `set button I 0|1`; `set plugged 0|1`; `set steady 0|1`: without a tremor a push is silent."""

    SUMMED = False

    def __init__(self, faults: Faults) -> None:
        self._line = LocalLine(self._take)
        super().__init__(faults, self._line)
        self._chance = random.Random(0)
        self._push, self._steady, self._next_s = np.zeros(6), False, 0.0
        self._told_s = 0.0

    def tick(self, now_s: float) -> float:
        """Tell a push again, as a trembling hand makes the device do."""
        if now_s >= self._next_s:
            self._next_s = max(self._next_s + _PERIOD_S, now_s)
            if self._push.any() and not self._steady:
                self._tell_push(_JITTER_COUNTS)
        return self._next_s

    def set(self, name: str, values: list[float]) -> None:
        """See `Emulator`."""
        if name == "push" and len(values) == 6:
            self._push = np.array(values)
            self._tell_push(0)
        elif name == "button" and len(values) == 2:
            self._event(PRESS if values[1] else RELEASE, int(values[0]))
        elif name == "plugged" and len(values) == 1:
            self._event(DEVICE, int(not values[0]))
        elif name == "steady" and len(values) == 1:
            self._steady = bool(values[0])
        else:
            raise ConfigError(f"a SpaceMouse emulator cannot set {name} to {values}; it knows push (6), button (2), plugged, steady (1).")

    def state(self) -> Mapping[str, float]:
        """Return when it last told an event, on the steady clock [s]."""
        return {"told_s": self._told_s}

    def _tell_push(self, jitter: int) -> None:
        exact = protocol.counts(self._push, _FULL_COUNTS)
        self._event(MOTION, *(count + self._chance.randint(-jitter, jitter) for count in exact), round(1e3 * _PERIOD_S))

    def _event(self, kind: int, *values: int) -> None:
        self._told_s = time.monotonic()
        self.send(self._line.send, protocol.pack_event(Event(kind, (*values, *[0] * (7 - len(values))))))

    def _take(self, data: bytes) -> None:
        if data == protocol.HELLO:
            self.send(self._line.send, protocol.HELLO)


make = SpaceMouseEmulator
