"""Fakes an Inspire RH56DFTP: its registers over Modbus TCP, and on a pty beside it, and fingers that follow their goals."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from tactus_core.errors import ConfigError
from tactus_hardware.emulation.emulator import Emulator
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.lines import PtyLine
from tactus_hardware.emulation.modbus import Registers, serve_rtu, serve_tcp
from tactus_hardware.emulation.servers import TcpLine
from tactus_hardware.inspire import protocol, touch
from tactus_hardware.inspire.protocol import JOINTS

_STEP_S = 0.005
_DEVICE_ID = 1
_SPEED_PER_S = 1500.0
_TOO_MUCH_CURRENT = 0x04


class InspireEmulator(Emulator):
    """`set angle JOINT NUMBER`: put a finger somewhere by force. `set force JOINT GRAMS`: let it feel something.

    `set touch FINGER INDEX COUNTS`: press a taxel; fingers as in `touch.FINGERS`, from 0, the palm last; taxels as their registers.
    `set feels 0`: be one without touch, that refuses its registers.
    """

    SUMMED = False

    def __init__(self, faults: Faults) -> None:
        self._tcp, self._pty = TcpLine(self._take_tcp, self._greet), PtyLine(self._take_rtu)
        super().__init__(faults, self._tcp, self._pty)
        self._angles = np.full(len(JOINTS), float(protocol.OPEN))
        self._stepped_s = time.monotonic()
        self._feels = True
        self._power_up()

    def address(self) -> Mapping[str, Any]:
        """See `Emulator`. Both wires at once: `wire` decides."""
        return {"host": "127.0.0.1", "port": self._tcp.port, "serial_port": str(self._pty.path)}

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
        match name, [int(value) for value in values]:
            case "angle", [joint, number]:
                self._angles[joint] = number
            case "force", [joint, grams]:
                self._registers.put(protocol.FORCE_ACT + 2 * joint, [grams])
            case "touch", [finger, index, counts]:
                begin, end = [*touch.FINGERS.values(), touch.END][finger : finger + 2]
                if not 0 <= 2 * index < end - begin:
                    raise ConfigError(f"there is no taxel {index}: the finger has {(end - begin) // 2}, from 0.")
                self._registers.put(begin + 2 * index, [counts])
            case "feels", [on]:
                self._feels = bool(on)
                self._power_up()
            case _:
                raise ConfigError(
                    f"an Inspire emulator cannot set {name} to {values}; it knows angle and force (joint, number), touch (finger, taxel, "
                    "counts) and feels (0 or 1)."
                )

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

    def answers_tcp(self, data: bytes) -> list[bytes]:
        """Take in bytes from the network; return what it answers."""
        self._from_tcp += data
        return serve_tcp(self._from_tcp, self._registers)

    def answers_rtu(self, data: bytes) -> list[bytes]:
        """Take in bytes from the serial line; return what it answers."""
        self._from_rtu += data
        return serve_rtu(self._from_rtu, _DEVICE_ID, self._registers)

    def _power_up(self) -> None:
        # Addresses count bytes: a register's neighbour is two further on.
        self._registers = Registers(touch.END if self._feels else touch.FINGERS["little"], 1, lambda address, values: None)
        self._registers.put(protocol.ANGLE_SET, [round(angle) for angle in self._angles])
        self._from_tcp, self._from_rtu = bytearray(), bytearray()

    def _goals(self) -> list[int]:
        return self._registers.get(protocol.ANGLE_SET, len(JOINTS))

    def _greet(self) -> None:
        self._from_tcp.clear()

    def _overload(self) -> None:
        overloaded = _TOO_MUCH_CURRENT if self.faults.strikes("saturation") else 0
        self._registers.put(protocol.ERROR, [overloaded] * protocol.ERROR_REGISTERS)

    def _take_tcp(self, data: bytes) -> None:
        self._overload()
        for answer in self.answers_tcp(data):
            self.answer(self._tcp.send, answer)

    def _take_rtu(self, data: bytes) -> None:
        self._overload()
        for answer in self.answers_rtu(data):
            self.answer(self._pty.send, answer, summed=True)


make = InspireEmulator
