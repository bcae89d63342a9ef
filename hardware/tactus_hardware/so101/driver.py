"""Moves and reads an SO-100 or SO-101."""

import struct
from collections.abc import Sequence

from tactus_core.errors import DeviceError
from tactus_core.types import Array
from tactus_hardware.feetech import FeetechBus
from tactus_hardware.ports import ArmState
from tactus_hardware.serial_wire import SerialWire
from tactus_hardware.servos import ServoDriver
from tactus_hardware.so101 import protocol
from tactus_hardware.so101.config import So101Config
from tactus_hardware.so101.protocol import SERVOS


class So101Arm(ServoDriver[ArmState]):
    """An `Arm`. Its servos have no watchdog of their own: where this process dies they end their last motion, and hold.

    A leader is the same arm without torque: it reads, and `command` returns None.
    """

    TORQUE = protocol.TORQUE

    def __init__(self, config: So101Config) -> None:
        super().__init__(f"SO-101 {config.role} at {config.port}", config, protocol.LIMITS_RAD, SERVOS, config.role == "follower")
        self._config, self._scale = config, protocol.Scale(config.zero_counts, config.reverse)

    def _connect(self, deadline_s: float) -> None:
        config = self._config
        self._wire = SerialWire(config.port, config.baud)
        self._bus = bus = FeetechBus(self._wire, tuple(SERVOS), config.answer_limit_s)
        self._check("model", protocol.MODEL, "<H", protocol.STS3215, deadline_s)
        if not self._moves:
            bus.write_all(protocol.TORQUE, bytes([0]))
            return
        self._check("mode", protocol.MODE, "<B", protocol.POSITION_MODE, deadline_s)
        bus.write_all(protocol.LOCK, bytes([1]))
        bus.write_all(protocol.GAIN_P, bytes([config.stiffness, config.damping]))
        bus.write_all(protocol.TORQUE_LIMIT, struct.pack("<H", round(config.torque_limit * protocol.TORQUE_LIMIT_WHOLE)))
        # The goal comes before the torque: an arm that is switched on stays where it is.
        self._write(self._measured(deadline_s))
        bus.write_all(protocol.TORQUE, bytes([1]))

    def _check(self, what: str, address: int, number: str, expected: int, deadline_s: float) -> None:
        found = [struct.unpack(number, data)[0] for data in self._bus.read_whole(address, struct.calcsize(number), deadline_s)]
        if found != [expected] * len(found):
            raise DeviceError(f"its servos have {what} {found}, expected {expected} of each. Is this an SO-101, and is it set up?")

    def _block(self, turn: int) -> tuple[int, int]:
        # Longer blocks begin earlier: what comes after the state is not documented.
        return protocol.STATE - turn, protocol.STATE_BYTES + turn

    def _parse(self, turn: int, blocks: Sequence[bytes]) -> ArmState | None:
        return self._scale.parse_state([block[turn:] for block in blocks])

    def _write(self, position_rad: Array) -> None:
        self._bus.write(protocol.GOAL, self._scale.pack_goals(position_rad, self._config.speed_limit_rad_s))
