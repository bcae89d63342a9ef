"""Fakes an FT 300: its stream, and its Modbus registers, on a pty."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tactus_core.errors import ConfigError
from tactus_hardware.emulation.emulator import Emulator
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.lines import PtyLine
from tactus_hardware.emulation.modbus import Registers, serve_rtu
from tactus_hardware.emulation.signals import Feeling
from tactus_hardware.ft300 import protocol

_PERIOD_S = 0.01
_SATURATED = 32767


class Ft300Emulator(Emulator):
    """100 frames per second. `set wrench Fx Fy Fz Tx Ty Tz` [N, Nm]."""

    SUMMED = True

    def __init__(self, faults: Faults) -> None:
        self._line = PtyLine(self._take)
        super().__init__(faults, self._line)
        self._feeling = Feeling()
        self._began_s, self._next_s = time.monotonic(), 0.0
        self._frame = b""
        self._power_up()

    def come_back(self) -> None:
        """See `Emulator`."""
        super().come_back()
        self._power_up()

    def play(self, recording: Path) -> None:
        """See `Emulator`."""
        self._feeling = Feeling(recording)

    def tick(self, now_s: float) -> float:
        """Send the frame that is due."""
        if now_s >= self._next_s:
            self._next_s = max(self._next_s + _PERIOD_S, now_s)
            numbers = np.rint(self._feeling.at(now_s - self._began_s) / protocol.SCALE)
            self._registers.put(protocol.FIRST_FORCE_REGISTER, [int(n) for n in numbers])
            if self._streaming:
                self._stream(numbers)
        return self._next_s

    def set(self, name: str, values: list[float]) -> None:
        """See `Emulator`."""
        if name != "wrench" or len(values) != 6:
            raise ConfigError(f"an FT 300 emulator cannot set {name} to {values}; it knows wrench (6 numbers).")
        self._feeling.wrench = np.array(values)

    def state(self) -> Mapping[str, Any]:
        """See `Emulator`."""
        return {"streaming": self._streaming}

    def _stream(self, numbers: np.ndarray) -> None:
        if self.faults.strikes("saturation"):
            numbers = np.full(6, _SATURATED)
        if not self._frame or not (self.faults.strikes("stale") or self.faults.strikes("stuck")):
            self._frame = protocol.pack_frame(numbers)
        self.send(self._line.send, self._frame)

    def _power_up(self) -> None:
        self._registers = Registers(2048, 2, self._written)
        self._buffer = bytearray()
        self._streaming = False
        self._frame = b""

    def _take(self, data: bytes) -> None:
        if b"\xff" * 20 in data:
            self._streaming = False
        self._buffer += data
        for answer in serve_rtu(self._buffer, protocol.DEVICE_ID, self._registers):
            self.send(self._line.send, answer)

    def _written(self, address: int, values: list[int]) -> None:
        if address == protocol.STREAM_REGISTER and values == [protocol.STREAM_ON]:
            self._streaming = True


make = Ft300Emulator
