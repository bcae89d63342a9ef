"""Fakes a LEAP hand: 16 servos on a pty."""

from collections.abc import Mapping
from typing import Any

from tactus_hardware.emulation.dynamixel import DynamixelBus, DynamixelServo
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.servos import ServosEmulator
from tactus_hardware.leap import protocol
from tactus_hardware.xseries import RAD_PER_COUNT

_XC330_M288 = 1240
_OPEN = 2048


class LeapEmulator(ServosEmulator):
    """See `ServosEmulator`."""

    def __init__(self, faults: Faults) -> None:
        def build(counts: Mapping[int, int]) -> DynamixelBus:
            return DynamixelBus({i: DynamixelServo(_XC330_M288, count) for i, count in counts.items()}, faults)

        super().__init__(faults, build, dict.fromkeys(protocol.IDS, _OPEN), RAD_PER_COUNT)

    def state(self) -> Mapping[str, Any]:
        """See `ServosEmulator`; and how the servos are set."""
        more = {"mode": self.register(protocol.OPERATING_MODE), "watchdog": self.register(protocol.BUS_WATCHDOG)}
        return {**super().state(), **more}


make = LeapEmulator
