"""Feetech servos of the STS series: packets by `tactus_hardware.feetech`, and their control table."""

import struct
from collections.abc import Iterator, Mapping

from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.servos import Servo, ServoBus
from tactus_hardware.feetech import Packets, pack, signed, unsigned

_STS3215 = 777
_VOLTS_TENTHS, _CELSIUS = 74, 31
_MODEL, _LOCK, _GOAL, _STATE, _VOLTS, _MOVING, _CURRENT = 3, 55, 42, 56, 62, 66, 69
_GOAL_SPEED = 46
_OVERLOAD = 32
_LOAD, _CURRENT_COUNTS = 100, 12


class FeetechServo(Servo):
    """An STS3215, as it is delivered: in position control, its EEPROM locked, its goal where it stands."""

    TORQUE = 40
    TABLE_BYTES = 86

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self._overloaded = False
        self.table[_MODEL : _MODEL + 2] = struct.pack("<H", _STS3215)
        self.table[_LOCK] = 1
        self.table[_GOAL : _GOAL + 2] = struct.pack("<H", unsigned(position))
        self.advance(0.0)

    @property
    def goal(self) -> int:
        """See `Servo`."""
        return signed(struct.unpack_from("<H", self.table, _GOAL)[0])

    def write(self, address: int, data: bytes) -> int:
        """See `Servo`. What it cannot take is ignored without a word: an answer has no bit for that."""
        if address + len(data) <= self.TABLE_BYTES:
            self.table[address : address + len(data)] = data
            if self._overloaded:
                self.table[self.TORQUE] = 0
        return 0

    def error(self) -> int:
        """See `Servo`."""
        return _OVERLOAD if self._overloaded else 0

    def overload(self) -> None:
        """See `Servo`."""
        self._overloaded, self.table[self.TORQUE] = True, 0

    def watch(self, silent_s: float) -> None:
        """Go on: it has no watchdog."""

    def speed_counts_s(self) -> float:
        """Return how fast it goes: as it is told, or as fast as it can where it is told 0."""
        told = struct.unpack_from("<H", self.table, _GOAL_SPEED)[0]
        return min(told or self.FASTEST_COUNTS_S, self.FASTEST_COUNTS_S)

    def tell(self, step: float, velocity_counts_s: float) -> None:
        """See `Servo`."""
        load = (_LOAD if step >= 0 else _LOAD | 1 << 10) if step else 0
        numbers = (unsigned(round(self.position)), unsigned(round(velocity_counts_s)), load)
        struct.pack_into("<HHH", self.table, _STATE, *numbers)
        self.table[_VOLTS : _VOLTS + 2] = bytes([_VOLTS_TENTHS, _CELSIUS])
        self.table[_MOVING] = bool(step)
        struct.pack_into("<H", self.table, _CURRENT, _CURRENT_COUNTS if step else 0)


class FeetechBus(ServoBus):
    """See `ServoBus`."""

    ADDRESS = struct.Struct("<B")
    ADDRESS_LENGTH = struct.Struct("<BB")
    BAD_INSTRUCTION = BAD_LENGTH = 0

    def __init__(self, servos: Mapping[int, Servo], faults: Faults) -> None:
        super().__init__(servos, faults)
        self._packets = Packets()

    def packets(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """See `ServoBus`."""
        for packet in self._packets.take(data):
            yield packet[2], packet[4], packet[5:-1]

    def status(self, servo: int, error: int, data: bytes) -> bytes:
        """See `ServoBus`."""
        return pack(servo, error, data)

    def identity(self, servo: int) -> bytes:
        """See `ServoBus`. Its model is asked for by a read."""
        return b""
