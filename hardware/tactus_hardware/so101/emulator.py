"""Fakes an SO-101: six servos on a pty."""

from collections.abc import Mapping
from pathlib import Path

from tactus_core.errors import ConfigError
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.feetech import FeetechBus, FeetechServo
from tactus_hardware.emulation.servos import ServosEmulator
from tactus_hardware.so101 import protocol

_MIDDLE = 2048


def make(faults: Faults, play: Path | None) -> ServosEmulator:
    """Return the emulator; see `tactus_hardware.emulate`."""
    if play is not None:
        raise ConfigError("an SO-101 feels no force, and plays no recording. Leave out --play.")

    def build(counts: Mapping[int, int]) -> FeetechBus:
        return FeetechBus({i: FeetechServo(count) for i, count in counts.items()}, faults)

    return ServosEmulator(faults, build, dict.fromkeys(protocol.SERVOS, _MIDDLE), protocol.RAD_PER_COUNT)
