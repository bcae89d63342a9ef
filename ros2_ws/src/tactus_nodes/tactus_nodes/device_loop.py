"""The one thread that all calls of a driver come from: it opens the device, reads it, passes on the newest command, and leaves it."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tactus_core.errors import DeviceError, TactusError
from tactus_core.types import Array

_READ_S = 0.05
_OPEN_S = 4.0  # a driver gives up after 3.5 s at most (`Driver.OPEN_LIMIT_S`)
_END_S = 1.0
_HANG_S = 1.0


@dataclass(frozen=True)
class Condition:
    """How the device is, as its thread saw it last; see `tactus_hardware.health`. seen_s: when that was, steady clock."""

    connected: bool = False
    trouble: str = "not opened yet"
    rate_Hz: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)
    seen_s: float = 0.0


class DeviceLoop:
    """device: a driver as `tactus_hardware.ports` has it, `command` included where it is commanded.

    on_reading gets each reading; on_holding whether the device holds by itself, at the start and when that changes; both in the thread.
    command_timeout_s: age from which a command is none any more.
    """

    def __init__(
        self, device: Any, command_timeout_s: float, on_reading: Callable[[Any], None], on_holding: Callable[[bool], None]
    ) -> None:
        self._device, self._timeout_s = device, command_timeout_s
        self._on_reading, self._on_holding = on_reading, on_holding
        self._wanted: deque[tuple[Array, float]] = deque(maxlen=1)
        self._holds: bool | None = None
        self._sent_s = -float("inf")
        self.refused = 0
        self.condition = Condition()
        self.failure: Exception | None = None
        self._ending, self._opened = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="device", daemon=True)

    def start(self) -> None:
        """Open the device and begin; raises DeviceError that says what is missing."""
        self._thread.start()
        if not self._opened.wait(_OPEN_S):
            self._ending.set()
            raise DeviceError(f"the driver did not come back from opening the device within {_OPEN_S:.0f} s. Is its bus or network stuck?")
        if self.failure is not None:
            raise self.failure

    def stop(self) -> bool:
        """Leave the device as configured; return whether the driver came back from that in time."""
        self._ending.set()
        self._thread.join(_END_S)
        return not self._thread.is_alive()

    def command(self, position_rad: Array) -> None:
        """Take a command in the place of the last one: the thread passes it on when it has read."""
        self._wanted.append((position_rad, time.monotonic()))

    def trouble(self) -> str:
        """Return what is wrong with the device, and what mends it; empty: all is well."""
        silent_s = time.monotonic() - self.condition.seen_s
        if silent_s > _HANG_S:
            return f"the driver has not come back for {silent_s:.1f} s. Is its bus or network stuck?"
        return self.condition.trouble

    def _run(self) -> None:
        try:
            self._device.open()
            self._note()
            self._opened.set()
            while not self._ending.is_set():
                reading = self._device.read(_READ_S)
                if reading is not None:
                    self._on_reading(reading)
                self._obey()
                self._note()
        except Exception as error:  # told by whoever waits, or looks: a thread that ends in silence would look like a quiet device
            self.failure = error
        finally:
            self._device.close()
            self._hold(True)
            self._note()
            self._opened.set()

    def _obey(self) -> None:
        if self._wanted:
            position_rad, came_s = self._wanted.popleft()
            fresh = time.monotonic() - came_s <= self._timeout_s
            if fresh and self._sent(position_rad):
                self._sent_s = came_s
            else:
                self.refused += 1
        self._hold(not self._device.health.connected or time.monotonic() - self._sent_s > self._timeout_s)

    def _hold(self, holds: bool) -> None:
        if holds is not self._holds:
            self._holds = holds
            self._on_holding(holds)

    def _sent(self, position_rad: Array) -> bool:
        try:
            return self._device.command(position_rad) is not None
        except TactusError:
            return False

    def _note(self) -> None:
        health, now_s = self._device.health, time.monotonic()
        self.condition = Condition(health.connected, health.trouble, health.rate_Hz(now_s), dict(health.counts), now_s)
