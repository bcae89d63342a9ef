"""Fakes a LEAP hand: 16 servos on a pty."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tactus_core.errors import ConfigError
from tactus_hardware.emulation.dynamixel import Servo, ServoBus
from tactus_hardware.emulation.emulator import Emulator
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.lines import PtyLine
from tactus_hardware.leap import protocol

_XC330_M288 = 1240
_STEP_S = 0.002
_OPEN = 2048


class LeapEmulator(Emulator):
    """`set position JOINT RAD`: put a joint somewhere by force."""

    SUMMED = True

    def __init__(self, faults: Faults) -> None:
        super().__init__(faults)
        self._line = PtyLine()
        self._bus = ServoBus({i: Servo(_XC330_M288, _OPEN) for i in protocol.IDS}, self.faults)
        self._stepped_s = time.monotonic()

    def address(self) -> Mapping[str, Any]:
        """See `Emulator`."""
        return {"port": str(self._line.path)}

    def files(self) -> Mapping[int, Callable[[], None]]:
        """See `Emulator`."""
        return {self._line.file: self._take} if self._line.file >= 0 else {}

    def hang_up(self) -> None:
        """See `Emulator`."""
        self._line.close()

    def come_back(self) -> None:
        """See `Emulator`. The servos were switched off meanwhile, and have forgotten everything but where they are."""
        self._line.open()
        self._bus = ServoBus({i: Servo(_XC330_M288, round(self._bus.servos[i].position)) for i in protocol.IDS}, self.faults)
        self._stepped_s = time.monotonic()

    def tick(self, now_s: float) -> float:
        """Move the servos."""
        self._bus.advance(now_s, now_s - self._stepped_s)
        self._stepped_s = now_s
        return now_s + _STEP_S

    def set(self, name: str, values: list[float]) -> None:
        """See `Emulator`."""
        if name != "position" or len(values) != 2:
            raise ConfigError(f"a LEAP emulator cannot set {name} to {values}; it knows position (joint, rad).")
        servo = self._bus.servos[int(values[0])]
        servo.position = (values[1] / protocol.RAD_PER_COUNT) + _OPEN

    def state(self) -> Mapping[str, Any]:
        """See `Emulator`: what the servos are asked for, where they are, and whether they hold."""
        servos = self._bus.servos.values()
        return {
            "goal_rad": [(servo.goal - _OPEN) * protocol.RAD_PER_COUNT for servo in servos],
            "position_rad": [(servo.position - _OPEN) * protocol.RAD_PER_COUNT for servo in servos],
            "torque": [servo.table[protocol.TORQUE_ENABLE] for servo in servos],
            "mode": [servo.table[protocol.OPERATING_MODE] for servo in servos],
            "watchdog": [servo.table[protocol.BUS_WATCHDOG] for servo in servos],
        }

    def _take(self) -> None:
        for packet in self._bus.take(self._line.receive(), time.monotonic()):
            self.send(self._line.send, packet)


def make(faults: Faults, play: Path | None) -> LeapEmulator:
    """Return the emulator; see `tactus_hardware.emulate`."""
    if play is not None:
        raise ConfigError("a LEAP hand feels no force, and plays no recording. Leave out --play.")
    return LeapEmulator(faults)
