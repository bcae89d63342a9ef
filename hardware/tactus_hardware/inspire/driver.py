"""Moves and reads an Inspire RH56."""

import logging
import time
from typing import Any

import numpy as np

from tactus_core.errors import DeviceError, SetupError
from tactus_core.types import Array
from tactus_hardware.inspire import protocol
from tactus_hardware.inspire.config import InspireConfig
from tactus_hardware.inspire.protocol import JOINTS
from tactus_hardware.joints import JointDriver
from tactus_hardware.ports import HandState, Reading


class InspireHand(JointDriver[HandState]):
    """A `Hand`. Its motors hold without current, and it has no watchdog of its own: where this process dies it ends its last motion."""

    FAULTS = ("timeout", "damaged", "refused", "out_of_range", "alert")

    def __init__(self, config: InspireConfig) -> None:
        super().__init__(f"Inspire hand at {config.host}:{config.port}", config, protocol.LIMITS_RAD)
        self._config = config
        self._client: Any = None
        self._deadline_s = 0.0

    def _connect(self, deadline_s: float) -> None:
        try:
            from pymodbus.client import ModbusTcpClient
        except ImportError:
            raise SetupError("pymodbus is not installed. Try: pip install -r requirements/hardware.txt") from None
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # what it would log is raised here, with the device's name
        config, self._deadline_s = self._config, deadline_s
        # No retries: the next reading is a better one.
        self._client = ModbusTcpClient(config.host, port=config.port, timeout=config.answer_limit_s, retries=0)
        if not self._client.connect():
            raise DeviceError("it refused the connection, or did not answer. Check its power, its address, and the network cable.")
        self._set(protocol.SPEED_SET, [config.speed] * len(JOINTS))
        self._set(protocol.FORCE_SET, [protocol.grams(config.force_limit_N)] * len(JOINTS))
        self._write(self._measured())

    def _receive(self, deadline_s: float) -> Reading[HandState] | None:
        asked_s = time.monotonic()
        self._deadline_s = max(deadline_s, asked_s + self._config.answer_limit_s)
        angles = self._get(protocol.ANGLE_ACT, len(JOINTS))
        forces = self._get(protocol.FORCE_ACT, len(JOINTS))
        self._fault = protocol.faults(self._get(protocol.ERROR, protocol.ERROR_REGISTERS))
        self.health.count("alert", bool(self._fault))
        if not all(0 <= angle <= protocol.OPEN for angle in angles):
            self.health.count("out_of_range")
            return None
        unknown = np.full(len(JOINTS), np.nan)
        return Reading(asked_s, HandState(protocol.position_rad(angles), unknown, unknown, protocol.force_N(forces)))

    def _write(self, position_rad: Array) -> None:
        self._deadline_s = time.monotonic() + self._config.answer_limit_s
        self._set(protocol.ANGLE_SET, protocol.numbers(position_rad))

    def _measured(self) -> Array:
        return protocol.position_rad(self._get(protocol.ANGLE_ACT, len(JOINTS)))

    def _get(self, address: int, count: int) -> list[int]:
        registers = self._ask("read_holding_registers", address, count=count).registers
        if len(registers) != count:
            self._fail("damaged", f"{count} registers were asked for at {address}, and {len(registers)} came")
        return [register - 0x10000 if register & 0x8000 else register for register in registers]

    def _set(self, address: int, values: list[int]) -> None:
        self._ask("write_registers", address, values)

    def _ask(self, what: str, *arguments: Any, **keywords: Any) -> Any:
        from pymodbus.exceptions import ConnectionException, ModbusException

        if time.monotonic() > self._deadline_s:
            self._fail("timeout", "its answers together take too long; is the network loaded?")
        try:
            answer = getattr(self._client, what)(*arguments, device_id=self._config.device_id, **keywords)
        except ConnectionException as error:
            raise DeviceError(f"it closed the connection: {error}") from None
        except ModbusException as error:
            self._fail("timeout", f"no good answer within {self._config.answer_limit_s} s. Check its device_id and the network. ({error})")
        if answer.isError():
            self._fail("refused", f"{what} at {arguments[0]} was refused: {answer}")
        return answer

    def _fail(self, fault: str, why: str) -> None:
        """Give the connection up: what comes after a damaged or late answer on a stream of bytes cannot be told apart."""
        self.health.count(fault)
        raise DeviceError(why)

    def _leave(self) -> None:
        self._deadline_s = time.monotonic() + self._config.answer_limit_s
        self._write(self._measured())

    def _disconnect(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
