"""Dynamixel servos, protocol 2.0: packets, and the control table of the X series."""

import struct
from collections.abc import Iterable, Iterator, Mapping

from tactus_hardware import crc
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.servos import Servo, ServoBus, ServosEmulator
from tactus_hardware.xseries import RAD_PER_COUNT

_HEADER = b"\xff\xff\xfd\x00"
_STATUS = 0x55
_BAD_RANGE, _NO_ACCESS, _ALERT = 0x04, 0x07, 0x80
_FIRMWARE = 46
_EEPROM_END = 64
_MODE, _HARDWARE_ERROR, _WATCHDOG, _GOAL, _STATE = 11, 70, 98, 116, 126
_GOALS = range(100, 120)
_OVERLOAD = 0x20
_WATCHDOG_STEP_S, _WATCHDOG_TRIPPED = 0.02, 0xFF
_COUNTS_S_PER_VELOCITY = 0.229 / 60.0 * 4096
_MIDDLE = 2048


class DynamixelServo(Servo):
    """A motor of the X series, as it is delivered: in position control."""

    TORQUE = 64
    TABLE_BYTES = 256

    def __init__(self, model: int, position: int) -> None:
        super().__init__(position)
        self.table[0:2] = struct.pack("<H", model)
        self.table[_MODE] = 3
        self.table[_GOAL : _GOAL + 4] = struct.pack("<i", position)
        self.advance(0.0)

    @property
    def goal(self) -> int:
        """See `Servo`."""
        return int(struct.unpack_from("<i", self.table, _GOAL)[0])

    def write(self, address: int, data: bytes) -> int:
        """See `Servo`."""
        if address + len(data) > self.TABLE_BYTES:
            return _BAD_RANGE
        if address < _EEPROM_END and self.table[self.TORQUE]:
            return _NO_ACCESS
        if address in _GOALS and self.table[_WATCHDOG] == _WATCHDOG_TRIPPED:
            return _BAD_RANGE
        if address == self.TORQUE and self.table[_HARDWARE_ERROR]:
            return 0  # accepted, and without effect until it is switched off and on
        self.table[address : address + len(data)] = data
        return 0

    def error(self) -> int:
        """See `Servo`."""
        return _ALERT if self.table[_HARDWARE_ERROR] else 0

    def overload(self) -> None:
        """See `Servo`."""
        self.table[_HARDWARE_ERROR], self.table[self.TORQUE] = _OVERLOAD, 0

    def watch(self, silent_s: float) -> None:
        """Stop when the bus has been silent for too long."""
        if 0 < self.table[_WATCHDOG] < 128 and silent_s > self.table[_WATCHDOG] * _WATCHDOG_STEP_S:
            self.table[_WATCHDOG] = _WATCHDOG_TRIPPED
            self.table[_GOAL : _GOAL + 4] = struct.pack("<i", round(self.position))

    def tell(self, step: float, velocity_counts_s: float) -> None:
        """See `Servo`."""
        velocity = round(velocity_counts_s / _COUNTS_S_PER_VELOCITY)
        self.table[_STATE : _STATE + 10] = struct.pack("<hii", 20 if step else 0, velocity, round(self.position))


class DynamixelBus(ServoBus):
    """See `ServoBus`."""

    ADDRESS = struct.Struct("<H")
    ADDRESS_LENGTH = struct.Struct("<HH")
    BAD_INSTRUCTION, BAD_LENGTH = 0x02, 0x05
    _buffer = b""

    def packets(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """See `ServoBus`."""
        self._buffer += data
        while (at := self._buffer.find(_HEADER)) >= 0 and len(self._buffer) >= at + 7:
            length = struct.unpack_from("<H", self._buffer, at + 5)[0]
            packet = self._buffer[at : at + 7 + length]
            if not 3 <= length <= 1024:
                self._buffer = self._buffer[at + 1 :]
                continue
            if len(packet) < 7 + length:
                return
            if crc.dynamixel(packet[:-2]) != struct.unpack("<H", packet[-2:])[0]:
                self._buffer = self._buffer[at + 1 :]
                continue
            self._buffer = self._buffer[at + len(packet) :]
            yield packet[4], packet[7], packet[8:-2].replace(b"\xff\xff\xfd\xfd", b"\xff\xff\xfd")

    def status(self, servo: int, error: int, data: bytes) -> bytes:
        """See `ServoBus`."""
        return pack(servo, _STATUS, bytes([error]) + data)

    def identity(self, servo: int) -> bytes:
        """See `ServoBus`."""
        return bytes(self.servos[servo].table[0:2]) + bytes([_FIRMWARE])


class DynamixelEmulator(ServosEmulator):
    """See `ServosEmulator`: servos of one model, each in the middle of its range."""

    def __init__(self, faults: Faults, model: int, ids: Iterable[int]) -> None:
        def build(counts: Mapping[int, int]) -> DynamixelBus:
            return DynamixelBus({i: DynamixelServo(model, count) for i, count in counts.items()}, faults)

        super().__init__(faults, build, dict.fromkeys(ids, _MIDDLE), RAD_PER_COUNT)


def pack(servo: int, instruction: int, parameters: bytes) -> bytes:
    """Return a packet, its bytes stuffed and with its checksum."""
    body = (bytes([instruction]) + parameters).replace(b"\xff\xff\xfd", b"\xff\xff\xfd\xfd")
    packet = _HEADER + struct.pack("<BH", servo, len(body) + 2) + body
    return packet + struct.pack("<H", crc.dynamixel(packet))
