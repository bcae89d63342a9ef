"""Fakes an SO-101: six servos on a pty."""

from collections.abc import Mapping

from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.feetech import FeetechBus, FeetechServo
from tactus_hardware.emulation.servos import ServosEmulator
from tactus_hardware.so101 import protocol

_MIDDLE = 2048


def make(faults: Faults) -> ServosEmulator:
    """Return the emulator; see `tactus_hardware.emulate`."""

    def build(counts: Mapping[int, int]) -> FeetechBus:
        return FeetechBus({i: FeetechServo(count) for i, count in counts.items()}, faults)

    return ServosEmulator(faults, build, dict.fromkeys(protocol.SERVOS, _MIDDLE), protocol.RAD_PER_COUNT)
