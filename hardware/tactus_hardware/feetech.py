"""A bus of Feetech servos of the STS and SMS series.

Packet: FF FF, id, length, instruction (in an answer: error), parameters, checksum; the length counts from the instruction to the checksum.
Two bytes are little-endian. Numbers that can be negative are a magnitude and a bit for the sign.
"""

import time
from collections.abc import Iterator, Mapping, Sequence

from tactus_hardware.serial_wire import SerialWire
from tactus_hardware.servos import Answers, Bus, Layout

_HEADER = b"\xff\xff"
_BROADCAST = 0xFE
_SYNC_READ, _SYNC_WRITE = 0x82, 0x83
# Every error bit is the servo's condition: 1 voltage, 2 angle, 4 heat, 8 current, 32 overload.
LAYOUT = Layout(servo=2, error=4, data=5, around=6, alerts=0x7F)
_ID, _LENGTH, _AROUND = 2, 3, 4  # bytes beside what the length counts
_LONGEST = 250


def pack(servo: int, instruction: int, parameters: bytes) -> bytes:
    """Return a packet; in an answer the error stands in place of the instruction."""
    body = bytes([servo, len(parameters) + 2, instruction]) + parameters
    return _HEADER + body + bytes([~sum(body) & 0xFF])


def signed(number: int, sign_bit: int = 15) -> int:
    """Return what a register of two bytes says."""
    magnitude = number & (1 << sign_bit) - 1
    return -magnitude if number >> sign_bit & 1 else magnitude


def unsigned(number: int) -> int:
    """Return how a register of two bytes says a number, limited to what it can say."""
    magnitude = min(abs(number), (1 << 15) - 1)
    return magnitude | (number < 0) << 15


class Packets:
    """Finds packets in a stream of bytes. `damaged`: how many looked like one, and had a wrong checksum."""

    def __init__(self) -> None:
        self.damaged = 0
        self._buffer = bytearray()

    def take(self, data: bytes) -> Iterator[bytes]:
        """Take in bytes; yield the whole packets."""
        self._buffer += data
        while (at := self._buffer.find(_HEADER)) >= 0:
            del self._buffer[:at]
            if len(self._buffer) < _AROUND:
                return
            length = self._buffer[_LENGTH]
            # An id of FF is no id: the header begins a byte later.
            if self._buffer[_ID] == _HEADER[0] or not 2 <= length <= _LONGEST:
                del self._buffer[0]
                continue
            packet = bytes(self._buffer[: _AROUND + length])
            if len(packet) < _AROUND + length:
                return
            if ~sum(packet[_ID:-1]) & 0xFF != packet[-1]:
                self.damaged += 1
                del self._buffer[0]
                continue
            del self._buffer[: len(packet)]
            yield packet
        # What is left is no header; its last byte may be the first half of one.
        del self._buffer[: len(self._buffer) - self._buffer.endswith(_HEADER[:1])]


class FeetechBus(Bus):
    """See `Bus`."""

    def __init__(self, wire: SerialWire, ids: Sequence[int], answer_limit_s: float) -> None:
        super().__init__(ids, answer_limit_s)
        self._wire = wire

    def write(self, address: int, values: Mapping[int, bytes]) -> None:
        """See `Bus`."""
        length = len(next(iter(values.values())))
        flat = b"".join(bytes([servo]) + data for servo, data in values.items())
        self._wire.send(pack(_BROADCAST, _SYNC_WRITE, bytes([address, length]) + flat))

    def read(self, address: int, length: int) -> Answers:
        """See `Bus`."""
        self._wire.discard()
        self._wire.send(pack(_BROADCAST, _SYNC_READ, bytes([address, length, *self._ids])))
        deadline_s = time.monotonic() + self._answer_limit_s
        answers, packets = Answers(self._ids, LAYOUT), Packets()
        while answers.missing and not answers.fault:
            for packet in packets.take(self._wire.receive(deadline_s)):
                answers.take(packet, True, length, timed_out=False)
            timed_out = time.monotonic() >= deadline_s
            if answers.missing and (packets.damaged or timed_out):
                answers.take(b"", False, length, timed_out and not packets.damaged)
        return answers
