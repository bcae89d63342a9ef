"""Fakes a GELLO arm: seven servos on a pty."""

from tactus_hardware.emulation.dynamixel import DynamixelEmulator
from tactus_hardware.emulation.faults import Faults

_XL330_M288 = 1200


def make(faults: Faults) -> DynamixelEmulator:
    """Return the emulator; see `tactus_hardware.emulate`."""
    return DynamixelEmulator(faults, _XL330_M288, range(1, 8))
