"""Fakes a LEAP hand: 16 servos on a pty."""

from collections.abc import Mapping
from typing import Any

from tactus_hardware.emulation.dynamixel import DynamixelEmulator
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.leap import protocol

_XC330_M288 = 1240


class LeapEmulator(DynamixelEmulator):
    """See `ServosEmulator`."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(faults, _XC330_M288, protocol.IDS)

    def state(self) -> Mapping[str, Any]:
        """See `ServosEmulator`; and how the servos are set."""
        more = {"mode": self.register(protocol.OPERATING_MODE), "watchdog": self.register(protocol.BUS_WATCHDOG)}
        return {**super().state(), **more}


make = LeapEmulator
