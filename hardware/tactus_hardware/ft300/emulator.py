"""Fakes an FT 300: its stream, and its Modbus registers, on a pty."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tactus_core.errors import ConfigError
from tactus_core.types import Array
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.lines import PtyLine
from tactus_hardware.emulation.modbus import Registers, serve_rtu
from tactus_hardware.emulation.signals import Feeling
from tactus_hardware.emulation.stream import StreamEmulator
from tactus_hardware.ft300 import protocol

_PERIOD_S = 0.01
_SATURATED = 32767


class Ft300Emulator(StreamEmulator):
    """100 frames per second. `set wrench Fx Fy Fz Tx Ty Tz` [N, Nm]."""

    SUMMED = True

    def __init__(self, faults: Faults) -> None:
        super().__init__(faults, PtyLine(self._take), _PERIOD_S)
        self._feeling, self._began_s = Feeling(), time.monotonic()
        self._power_up()

    def come_back(self) -> None:
        """See `Emulator`."""
        super().come_back()
        self._power_up()

    def play(self, recording: Path) -> None:
        """See `Emulator`."""
        self._feeling = Feeling(recording)

    def frame(self) -> bytes:
        """See `StreamEmulator`."""
        return protocol.pack_frame(np.full(6, _SATURATED) if self.faults.strikes("saturation") else self._felt())

    def set(self, name: str, values: list[float]) -> None:
        """See `Emulator`."""
        if name != "wrench":
            raise ConfigError(f"an FT 300 emulator cannot set {name}; it knows wrench (6 numbers).")
        self._feeling.press(values)

    def state(self) -> Mapping[str, Any]:
        """See `Emulator`."""
        return {"streaming": self.streaming}

    def _felt(self) -> Array:
        return np.rint(self._feeling.at(time.monotonic() - self._began_s) / protocol.SCALE)

    def _power_up(self) -> None:
        self._registers = Registers(2048, 2, self._written)
        self._buffer = bytearray()
        self.streaming = False

    def _take(self, data: bytes) -> None:
        if b"\xff" * 20 in data:
            self.streaming = False
        self._buffer += data
        self._registers.put(protocol.FIRST_FORCE_REGISTER, [int(number) for number in self._felt()])
        for answer in serve_rtu(self._buffer, protocol.DEVICE_ID, self._registers):
            self.send(self._line.send, answer)

    def _written(self, address: int, values: list[int]) -> None:
        if address == protocol.STREAM_REGISTER and values == [protocol.STREAM_ON]:
            self.streaming = True


make = Ft300Emulator
