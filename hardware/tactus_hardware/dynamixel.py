"""A bus of Dynamixel servos, protocol 2.0, through ROBOTIS' own SDK (Apache-2.0).

The SDK's own port is not used: it spins while it waits, and judges its time-outs by the wall clock, which may be stepped.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from tactus_core.errors import DeviceError, SetupError
from tactus_hardware.serial_wire import SerialWire

_ID, _ERROR, _DATA = 4, 8, 9  # where they are in a status packet
_AROUND_DATA = 11  # bytes of a status packet beside its data
ALERT = 0x80  # the servo has a hardware error: read register 70


class SdkPort:
    """What the SDK expects of a port: it waits, at most until `deadline_s` (steady clock)."""

    is_using = False

    def __init__(self, wire: SerialWire) -> None:
        self.deadline_s = 0.0
        self._wire, self._buffer = wire, bytearray()

    def clearPort(self) -> None:
        """Drop what has come: an answer to an earlier question."""
        self._buffer.clear()
        self._wire.discard()

    def writePort(self, packet: Sequence[int]) -> int:
        """Send; return how many bytes were."""
        self._wire.send(bytes(packet))
        return len(packet)

    def readPort(self, length: int) -> bytes:
        """Return up to `length` bytes."""
        if len(self._buffer) < length:
            self._buffer += self._wire.receive(self.deadline_s)
        data = bytes(self._buffer[:length])
        del self._buffer[:length]
        return data

    def isPacketTimeout(self) -> bool:
        """Return whether it is time to give up."""
        return time.monotonic() >= self.deadline_s

    def setPacketTimeout(self, length: int) -> None:
        """Leave the deadline as the bus has set it."""


class Bus:
    """Servos that answer to their ids on one line; all of them within `answer_limit_s`."""

    def __init__(self, wire: SerialWire, ids: Sequence[int], answer_limit_s: float) -> None:
        try:
            import dynamixel_sdk
        except ImportError:
            raise SetupError("dynamixel-sdk is not installed. Try: pip install -r requirements/hardware.txt") from None
        self._handler: Any = dynamixel_sdk.Protocol2PacketHandler()
        self._ids, self._answer_limit_s = list(ids), answer_limit_s
        self._port = SdkPort(wire)

    def write(self, address: int, values: Mapping[int, bytes]) -> None:
        """Write registers of several servos at once, which nothing answers; the values are of one length. Raises OSError."""
        length = len(next(iter(values.values())))
        flat = [number for servo, data in values.items() for number in (servo, *data)]
        self._port.is_using = False
        self._handler.syncWriteTxOnly(self._port, address, length, flat, len(flat))

    def write_all(self, address: int, data: bytes) -> None:
        """Write the same to every servo."""
        self.write(address, dict.fromkeys(self._ids, data))

    def read(self, address: int, length: int) -> "Answers":
        """Read the same registers of every servo; the answers say what was wrong with them. Raises OSError."""
        self._port.is_using = False
        self._port.deadline_s = time.monotonic() + self._answer_limit_s
        self._handler.syncReadTx(self._port, address, length, self._ids, len(self._ids), False)
        answers = Answers(self._ids)
        while answers.missing and not answers.fault:
            packet, result = self._handler.rxPacket(self._port, False)
            answers.take(packet, result == 0, length, timed_out=self._port.isPacketTimeout())
        return answers

    def read_whole(self, address: int, length: int, deadline_s: float) -> list[bytes]:
        """Read as `read` does, and ask again until the deadline; raises DeviceError where a servo never answered well."""
        while True:
            answers = self.read(address, length)
            if not answers.fault:
                return answers.in_order()
            if time.monotonic() >= deadline_s:
                raise DeviceError(
                    f"servos {answers.missing} did not answer ({answers.fault}). Check the power supply, the ids and the baud rate, "
                    "and that no other program uses the port."
                )


class Answers:
    """What came back from a read. fault: '', 'checksum', 'timeout' or 'refused'; old: packets that answered an earlier question."""

    def __init__(self, ids: Sequence[int]) -> None:
        self.missing = list(ids)
        self.fault, self.old = "", 0
        self.alerts: list[int] = []
        self._ids, self._data = list(ids), dict[int, bytes]()

    def take(self, packet: Sequence[int], whole: bool, length: int, timed_out: bool) -> None:
        """Take in a status packet, or the SDK's word that there is none."""
        if not whole:
            self.fault = "timeout" if timed_out else "checksum"
        elif packet[_ID] not in self.missing or len(packet) != length + _AROUND_DATA:
            self.old += 1
            self.fault = "timeout" if timed_out else ""
        elif packet[_ERROR] & ~ALERT:
            self.fault = "refused"
        else:
            self.missing.remove(packet[_ID])
            self._data[packet[_ID]] = bytes(packet[_DATA : _DATA + length])
            if packet[_ERROR] & ALERT:
                self.alerts.append(packet[_ID])

    def in_order(self) -> list[bytes]:
        """Return the data of all servos, in the order of their ids."""
        return [self._data[servo] for servo in self._ids]
