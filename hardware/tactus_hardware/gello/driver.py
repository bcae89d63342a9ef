"""Reads a GELLO arm, and never moves it."""

from collections.abc import Sequence

import numpy as np

from tactus_core.errors import DeviceError
from tactus_core.types import Array
from tactus_hardware import xseries
from tactus_hardware.dynamixel import DynamixelBus
from tactus_hardware.gello.config import GelloConfig
from tactus_hardware.ports import HandState
from tactus_hardware.serial_wire import SerialWire
from tactus_hardware.servos import ServoDriver

JOINTS = tuple(f"servo_{number}" for number in range(1, 9))


class GelloArm(ServoDriver[HandState]):
    """A `Sensor` of joint positions: torque is switched off at the start, and stays off. 0 rad is a servo's middle."""

    TORQUE = xseries.TORQUE_ENABLE

    def __init__(self, config: GelloConfig) -> None:
        names = JOINTS[: config.servos]
        turn = np.full((config.servos, 2), [-np.pi, np.pi])
        super().__init__(f"GELLO at {config.port}", config, turn, dict(enumerate(names, start=1)), moves=False)
        self._config = config

    def _connect(self, deadline_s: float) -> None:
        self._wire = SerialWire(self._config.port, self._config.baud)
        self._bus = DynamixelBus(self._wire, tuple(self._servos), self._config.answer_limit_s)
        self._bus.write_all(self.TORQUE, bytes([0]))
        if any(data[0] for data in self._bus.read_whole(self.TORQUE, 1, deadline_s)):
            raise DeviceError("its servos keep their torque on: switch it off and on.")

    def _block(self, turn: int) -> tuple[int, int]:
        return xseries.STATE, xseries.STATE_BYTES + turn

    def _parse(self, turn: int, blocks: Sequence[bytes]) -> HandState | None:
        state = xseries.parse_state(blocks)
        # In the mode that servos come in a turn has 4096 counts; one that counts on was set up for something else.
        return state if (np.abs(state.position_rad) <= np.pi).all() else None

    def _write(self, position_rad: Array) -> None:
        raise DeviceError("a GELLO arm is led by hand, and takes no command.")
