"""Fakes an Inspire RH56: its registers over Modbus TCP, and fingers that follow their goals."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from tactus_core.errors import ConfigError
from tactus_hardware.emulation.emulator import Emulator
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.modbus import Registers, serve_tcp
from tactus_hardware.emulation.servers import TcpLine
from tactus_hardware.inspire import protocol
from tactus_hardware.inspire.protocol import JOINTS

_STEP_S = 0.005
_SPEED_PER_S = 1500.0
_TOO_MUCH_CURRENT = 0x04


class InspireEmulator(Emulator):
    """`set angle JOINT NUMBER`: put a finger somewhere by force. `set force JOINT GRAMS`: let it feel something."""

    SUMMED = False

    def __init__(self, faults: Faults) -> None:
        self._line = TcpLine(self._take, self._greet)
        super().__init__(faults, self._line)
        self._angles = np.full(len(JOINTS), float(protocol.OPEN))
        self._stepped_s = time.monotonic()
        self._power_up()

    def come_back(self) -> None:
        """See `Emulator`."""
        super().come_back()
        self._power_up()

    def tick(self, now_s: float) -> float:
        """Move the fingers."""
        way = _SPEED_PER_S * (now_s - self._stepped_s)
        self._stepped_s = now_s
        if not any(self._registers.get(protocol.ERROR, protocol.ERROR_REGISTERS)):
            self._angles += np.clip(np.array(self._goals()) - self._angles, -way, way)
        self._registers.put(protocol.ANGLE_ACT, [round(angle) for angle in self._angles])
        return now_s + _STEP_S

    def set(self, name: str, values: list[float]) -> None:
        """See `Emulator`."""
        joint, number = (int(value) for value in values)
        if name == "angle":
            self._angles[joint] = number
        elif name == "force":
            self._registers.put(protocol.FORCE_ACT + 2 * joint, [number])
        else:
            raise ConfigError(f"an Inspire emulator cannot set {name}; it knows angle and force (joint, number).")

    def goal_rad(self) -> list[float]:
        """See `Emulator`."""
        return list(protocol.position_rad(self._goals()))

    def state(self) -> Mapping[str, Any]:
        """See `Emulator`: the hand's own numbers, and the radians that they stand for."""
        return {
            "goal": self._goals(),
            "angle": [round(angle) for angle in self._angles],
            "position_rad": protocol.position_rad([round(angle) for angle in self._angles]).tolist(),
            "force_limit": self._registers.get(protocol.FORCE_SET, len(JOINTS)),
        }

    def _power_up(self) -> None:
        # Addresses count bytes: a register's neighbour is two further on.
        self._registers = Registers(4096, 1, lambda address, values: None)
        self._registers.put(protocol.ANGLE_SET, [round(angle) for angle in self._angles])
        self._buffer = bytearray()
        self._last = b""

    def _goals(self) -> list[int]:
        return self._registers.get(protocol.ANGLE_SET, len(JOINTS))

    def _greet(self) -> None:
        self._buffer.clear()

    def _take(self, data: bytes) -> None:
        self._buffer += data
        overloaded = _TOO_MUCH_CURRENT if self.faults.strikes("saturation") else 0
        self._registers.put(protocol.ERROR, [overloaded] * protocol.ERROR_REGISTERS)
        for answer in serve_tcp(self._buffer, self._registers):
            # The answer before, as it was: its transaction number tells that it is old.
            self.send(self._line.send, self._last if self.faults.strikes("stale") else answer)
            self._last = answer


make = InspireEmulator
