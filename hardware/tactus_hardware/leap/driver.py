"""Moves and reads a LEAP hand."""

import struct
import time
from collections.abc import Sequence

from tactus_core.errors import DeviceError
from tactus_core.types import Array
from tactus_hardware import xseries
from tactus_hardware.dynamixel import DynamixelBus
from tactus_hardware.leap import protocol
from tactus_hardware.leap.config import LeapConfig
from tactus_hardware.leap.protocol import IDS, JOINTS, SIDE_IDS
from tactus_hardware.ports import HandState
from tactus_hardware.serial_wire import SerialWire
from tactus_hardware.servos import ServoDriver


class LeapHand(ServoDriver[HandState]):
    """A `Hand`. Position control with limited current: it yields when pressed harder than `current_limit_A` allows."""

    TORQUE = xseries.TORQUE_ENABLE

    def __init__(self, config: LeapConfig) -> None:
        super().__init__(f"LEAP hand at {config.port}", config, protocol.LIMITS_RAD, dict(enumerate(JOINTS)))
        self._config = config

    def _connect(self, deadline_s: float) -> None:
        config = self._config
        self._wire = SerialWire(config.port, config.baud)
        self._spoke_s = time.monotonic()
        self._bus = bus = DynamixelBus(self._wire, IDS, config.answer_limit_s)
        bus.write_all(protocol.BUS_WATCHDOG, bytes([0]))  # a tripped one refuses goals
        if self._registers(protocol.OPERATING_MODE, deadline_s) != {protocol.CURRENT_BASED_POSITION}:
            bus.write_all(xseries.TORQUE_ENABLE, bytes([0]))
            bus.write_all(protocol.OPERATING_MODE, bytes([protocol.CURRENT_BASED_POSITION]))
        for address, gain in ((protocol.GAIN_P, config.stiffness), (protocol.GAIN_D, config.damping)):
            bus.write(address, {i: struct.pack("<H", gain * 3 // 4 if i in SIDE_IDS else gain) for i in IDS})
        bus.write_all(protocol.GOAL_CURRENT, struct.pack("<h", round(config.current_limit_A / xseries.A_PER_COUNT)))
        # The goal comes before the torque: a hand that is switched on stays where it is.
        self._write(self._measured(deadline_s))
        bus.write_all(xseries.TORQUE_ENABLE, bytes([1]))
        bus.write_all(protocol.BUS_WATCHDOG, bytes([max(1, round(config.bus_watchdog_s / protocol.WATCHDOG_STEP_S))]))
        modes = self._registers(protocol.OPERATING_MODE, deadline_s)
        if modes != {protocol.CURRENT_BASED_POSITION}:
            raise DeviceError(
                f"servos stay in modes {sorted(modes)}, expected {protocol.CURRENT_BASED_POSITION}: switch the hand off and on."
            )

    def _block(self, turn: int) -> tuple[int, int]:
        return xseries.STATE, xseries.STATE_BYTES + turn

    def _parse(self, turn: int, blocks: Sequence[bytes]) -> HandState:
        return xseries.parse_state(blocks)

    def _speak(self) -> float:
        """Return the time. Raises DeviceError after a silence that may have tripped the servos' watchdog: they then obey no goal."""
        now_s = time.monotonic()
        if now_s - self._spoke_s > 0.5 * self._config.bus_watchdog_s:
            raise DeviceError("this process was away for so long that the servos may have stopped by themselves; it sets them up again.")
        self._spoke_s = now_s
        return now_s

    def _write(self, position_rad: Array) -> None:
        self._speak()
        self._bus.write(protocol.GOAL_POSITION, {i: protocol.pack_goal(q) for i, q in zip(IDS, position_rad, strict=True)})

    def _registers(self, address: int, deadline_s: float) -> set[int]:
        return {data[0] for data in self._bus.read_whole(address, 1, deadline_s)}

    def _leave(self) -> None:
        super()._leave()
        self._bus.write_all(protocol.BUS_WATCHDOG, bytes([0]))
