"""What every driver of a device that streams over a serial line does alike: waits for the stream, and passes on the newest of it."""

import time
from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, Protocol

from tactus_core.errors import DeviceError
from tactus_core.types import Array
from tactus_hardware.driver import PAUSE_S, Driver, DriverConfig, T
from tactus_hardware.ports import Reading
from tactus_hardware.serial_wire import SerialWire


class Frames(Protocol):
    """Finds whole frames in what comes from the line. `damaged`: what was refused since somebody last set it to 0."""

    damaged: int

    def take(self, data: bytes) -> list[Array]:
        """Take in bytes; return the frames that are whole by now, oldest first."""
        ...


class StreamDriver(Driver[T]):
    """A driver's own part: `_judged`, `_start`, and what is said where no stream comes. It counts "skipped", and `DAMAGED`."""

    DAMAGED: ClassVar[str]
    NO_STREAM: ClassVar[str]

    def __init__(self, name: str, config: DriverConfig, port: str, baud: int, parser: Callable[[], Frames]) -> None:
        super().__init__(name, config)
        self._port, self._baud, self._parser = port, baud, parser
        self._wire: SerialWire | None = None

    @abstractmethod
    def _start(self, wire: SerialWire) -> None:
        """Make the device stream, and forget what it said on an earlier connection. Raises OSError."""

    @abstractmethod
    def _judged(self, frame: Array) -> T | None:
        """Return what a frame says; None, and it is counted, where it is not to be believed or is not new."""

    def _connect(self, deadline_s: float) -> None:
        self._wire = SerialWire(self._port, self._baud)
        self._start(self._wire)
        self._frames = self._parser()
        while not self._frames.take(self._wire.receive(deadline_s)):
            if time.monotonic() >= deadline_s:
                raise DeviceError(self.NO_STREAM)
        self._frames.damaged = 0
        self._emptied_s = time.monotonic()

    def _receive(self, deadline_s: float) -> Reading[T] | None:
        while self._wire is not None:
            data = self._wire.receive(deadline_s)
            stamp_s = time.monotonic()
            if stamp_s - self._emptied_s > PAUSE_S:
                self._wire.discard()
                data, self._frames = b"", self._parser()
            self._emptied_s = stamp_s
            fresh = [value for frame in self._frames.take(data) if (value := self._judged(frame)) is not None]
            self.health.count(self.DAMAGED, self._frames.damaged)
            self._frames.damaged = 0
            if fresh:
                self.health.count("skipped", len(fresh) - 1)
                return Reading(stamp_s, fresh[-1])
            if stamp_s >= deadline_s:
                break
        return None

    def _disconnect(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None
