"""A bus of Dynamixel servos, protocol 2.0, through ROBOTIS' own SDK (Apache-2.0).

The SDK's own port is not used: it spins while it waits, and judges its time-outs by the wall clock, which may be stepped.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from tactus_core.errors import SetupError
from tactus_hardware.serial_wire import SerialWire
from tactus_hardware.servos import Answers, Bus, Layout

ALERT = 0x80  # the servo has a hardware error: read register 70
LAYOUT = Layout(servo=4, error=8, data=9, around=11, alerts=ALERT)


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


class DynamixelBus(Bus):
    """See `Bus`."""

    def __init__(self, wire: SerialWire, ids: Sequence[int], answer_limit_s: float) -> None:
        super().__init__(ids, answer_limit_s)
        try:
            import dynamixel_sdk
        except ImportError:
            raise SetupError("dynamixel-sdk is not installed. Try: pip install -r requirements/hardware.txt") from None
        self._handler: Any = dynamixel_sdk.Protocol2PacketHandler()
        self._port = SdkPort(wire)

    def write(self, address: int, values: Mapping[int, bytes]) -> None:
        """See `Bus`."""
        length = len(next(iter(values.values())))
        flat = [number for servo, data in values.items() for number in (servo, *data)]
        self._port.is_using = False
        self._handler.syncWriteTxOnly(self._port, address, length, flat, len(flat))

    def read(self, address: int, length: int) -> Answers:
        """See `Bus`."""
        self._port.is_using = False
        self._port.deadline_s = time.monotonic() + self._answer_limit_s
        self._handler.syncReadTx(self._port, address, length, self._ids, len(self._ids), False)
        answers = Answers(self._ids, LAYOUT)
        while answers.missing and not answers.fault:
            packet, result = self._handler.rxPacket(self._port, False)
            answers.take(packet, result == 0, length, timed_out=self._port.isPacketTimeout())
        return answers
