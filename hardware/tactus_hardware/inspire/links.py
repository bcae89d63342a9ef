"""The two ways to a hand, alike for its driver. Every call raises OSError or DeviceError: the link is then given up."""

import logging
from typing import Any, Protocol

from tactus_core.errors import ConfigError, DeviceError, SetupError
from tactus_hardware.inspire import protocol
from tactus_hardware.inspire.config import InspireConfig
from tactus_hardware.modbus_rtu import READ_HOLDING, RtuBus, WireError
from tactus_hardware.serial_wire import SerialWire

# Asked between two reads of one length: one register, as nothing else that is read.
_BETWEEN = (protocol.ERROR, 1)


class Link(Protocol):
    """A hand's holding registers."""

    def read(self, address: int, count: int) -> list[int]:
        """Return registers, unsigned."""
        ...

    def write(self, address: int, values: list[int]) -> None:
        """Write registers, each 0..65535."""
        ...

    def close(self) -> None:
        """Let go of the wire; never raises."""
        ...


class RtuLink:
    """Modbus RTU. Its answers carry no number, but come in order: no two reads in a row have one length, so that a late answer shows."""

    def __init__(self, config: InspireConfig) -> None:
        self._wire = SerialWire(config.serial_port, config.baud)
        self._bus = RtuBus(self._wire, config.device_id, config.answer_limit_s, READ_HOLDING)
        self._count = 0

    def read(self, address: int, count: int) -> list[int]:
        """See `Link`."""
        if count == self._count:
            self._bus.read(*_BETWEEN)
        self._count = count
        return self._bus.read(address, count)

    def write(self, address: int, values: list[int]) -> None:
        """See `Link`."""
        self._count = 0
        self._bus.write(address, values)

    def close(self) -> None:
        """See `Link`."""
        self._wire.close()


class TcpLink:
    """Modbus TCP: pymodbus tells late answers by their transaction."""

    def __init__(self, config: InspireConfig) -> None:
        try:
            from pymodbus.client import ModbusTcpClient
        except ImportError:
            raise SetupError("pymodbus is not installed. Try: pip install -r requirements/hardware.txt") from None
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # what it would log is raised here, with the device's name
        self._config = config
        # No retries: the next reading is a better one.
        self._client = ModbusTcpClient(config.host, port=config.port, timeout=config.answer_limit_s, retries=0)
        if not self._client.connect():
            raise DeviceError("it refused the connection, or did not answer. Check its power, its address, and the network cable.")

    def read(self, address: int, count: int) -> list[int]:
        """See `Link`."""
        registers: list[int] = self._ask("read_holding_registers", address, count=count).registers
        if len(registers) != count:
            raise WireError("damaged", f"{count} registers were asked for at {address}, and {len(registers)} came")
        return registers

    def write(self, address: int, values: list[int]) -> None:
        """See `Link`."""
        self._ask("write_registers", address, values)

    def close(self) -> None:
        """See `Link`."""
        self._client.close()

    def _ask(self, what: str, *arguments: Any, **keywords: Any) -> Any:
        from pymodbus.exceptions import ConnectionException, ModbusException

        try:
            answer = getattr(self._client, what)(*arguments, device_id=self._config.device_id, **keywords)
        except ConnectionException as error:
            raise DeviceError(f"it closed the connection: {error}") from None
        except ModbusException as error:
            limit_s = self._config.answer_limit_s
            raise WireError("timeout", f"no good answer within {limit_s} s. Check its device_id and the network. ({error})") from None
        if answer.isError():
            raise WireError("refused", f"{what} at {arguments[0]} was refused: {answer}. Check its model.")
        return answer


def connect(config: InspireConfig) -> Link:
    """Return the link that the configuration asks for; raises OSError or DeviceError where nobody is there."""
    return RtuLink(config) if config.wire == "rtu" else TcpLink(config)


def check(config: InspireConfig) -> None:
    """Raise ConfigError where no place is named."""
    place, name = (config.serial_port, "serial_port") if config.wire == "rtu" else (config.host, "host")
    if not place:
        raise ConfigError(f"wire {config.wire} needs '{name}', which is empty. Set it to where the hand is.")
