"""Reads an FT 300."""

import numpy as np

from tactus_core.perception.mounting import Mounting
from tactus_core.types import Array
from tactus_hardware.ft300 import protocol
from tactus_hardware.ft300.config import Ft300Config
from tactus_hardware.serial_wire import SerialWire
from tactus_hardware.stream import StreamDriver


class Ft300Sensor(StreamDriver[Array]):
    """A `Sensor` of wrenches, 100 per second. Frames carry no number: one that equals the last to the bit counts as the last."""

    FAULTS = ("checksum", "repeated", "skipped", "out_of_range")
    DAMAGED = "checksum"
    NO_STREAM = "it was asked for its stream, and no frame came. Check its 24 V supply, and that this is its port."

    def __init__(self, config: Ft300Config) -> None:
        super().__init__(f"FT 300 at {config.port}", config, config.port, protocol.BAUD, protocol.Frames)
        self._mounting = Mounting(config)

    def _start(self, wire: SerialWire) -> None:
        wire.send(protocol.STOP)  # it may still be streaming, and would not hear the request
        wire.discard()
        wire.send(protocol.START)
        self._last = np.full(6, np.nan)

    def _judged(self, wrench: Array) -> Array | None:
        if np.array_equal(wrench, self._last):
            self.health.count("repeated")
            return None
        self._last = wrench
        self._heard()
        if not self._mounting.believes(wrench):
            self.health.count("out_of_range")
            self.health.trouble = f"{self._name}: measures more than its range; unload it"
            return None
        return self._mounting.turned(wrench)

    def _leave(self) -> None:
        if self._wire is not None:
            self._wire.send(protocol.STOP)
