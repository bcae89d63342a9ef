"""Reads an FT 300."""

import time

import numpy as np

from tactus_core.errors import DeviceError
from tactus_core.types import Array
from tactus_hardware.driver import PAUSE_S, Driver
from tactus_hardware.ft300 import protocol
from tactus_hardware.ft300.config import Ft300Config
from tactus_hardware.ft300.protocol import Frames
from tactus_hardware.ports import Reading
from tactus_hardware.serial_wire import SerialWire
from tactus_hardware.wrench import Mounting


class Ft300Sensor(Driver[Array]):
    """A `Sensor` of wrenches, 100 per second. Frames carry no number: one that equals the last to the bit counts as the last."""

    FAULTS = ("checksum", "repeated", "skipped", "out_of_range")

    def __init__(self, config: Ft300Config) -> None:
        super().__init__(f"FT 300 at {config.port}", config)
        self._config, self._mounting = config, Mounting(config)
        self._wire: SerialWire | None = None

    def _connect(self, deadline_s: float) -> None:
        self._wire = SerialWire(self._config.port, protocol.BAUD)
        self._wire.send(protocol.STOP)  # it may still be streaming, and would not hear the request
        self._wire.discard()
        self._wire.send(protocol.START)
        self._frames, self._last = Frames(), np.full(6, np.nan)
        while not self._frames.take(self._wire.receive(deadline_s)):
            if time.monotonic() >= deadline_s:
                raise DeviceError("it was asked for its stream, and no frame came. Check its 24 V supply, and that this is its port.")
        self._frames.damaged = 0
        self._emptied_s = time.monotonic()

    def _receive(self, deadline_s: float) -> Reading[Array] | None:
        while self._wire is not None:
            data = self._wire.receive(deadline_s)
            stamp_s = time.monotonic()
            if stamp_s - self._emptied_s > PAUSE_S:
                data, self._frames = b"", Frames()
            self._emptied_s = stamp_s
            fresh = [wrench for wrench in self._frames.take(data) if self._good(wrench)]
            self.health.count("checksum", self._frames.damaged)
            self._frames.damaged = 0
            if fresh:
                self.health.count("skipped", len(fresh) - 1)
                return Reading(stamp_s, self._mounting.turned(fresh[-1]))
            if stamp_s >= deadline_s:
                break
        return None

    def _good(self, wrench: Array) -> bool:
        if np.array_equal(wrench, self._last):
            self.health.count("repeated")
            return False
        self._last = wrench
        self._heard()
        if not self._mounting.believes(wrench):
            self.health.count("out_of_range")
            self.health.trouble = f"{self._name}: measures more than its range; unload it"
            return False
        return True

    def _leave(self) -> None:
        if self._wire is not None:
            self._wire.send(protocol.STOP)

    def _disconnect(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None
