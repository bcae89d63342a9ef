"""Fakes a GELLO arm: seven servos on a pty."""

from collections.abc import Mapping

from tactus_hardware.emulation.dynamixel import DynamixelBus, DynamixelServo
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.servos import ServosEmulator
from tactus_hardware.xseries import RAD_PER_COUNT

_XL330_M288 = 1200
_MIDDLE = 2048


def make(faults: Faults) -> ServosEmulator:
    """Return the emulator; see `tactus_hardware.emulate`."""

    def build(counts: Mapping[int, int]) -> DynamixelBus:
        return DynamixelBus({i: DynamixelServo(_XL330_M288, count) for i, count in counts.items()}, faults)

    return ServosEmulator(faults, build, dict.fromkeys(range(1, 8), _MIDDLE), RAD_PER_COUNT)
