"""A bus of Dynamixel servos, protocol 2.0: packets, the control table of the X series, and motors that follow their goals."""

import struct
from collections.abc import Iterator

from tactus_hardware import crc
from tactus_hardware.emulation.faults import Faults

_HEADER = b"\xff\xff\xfd\x00"
_BROADCAST = 0xFE
_PING, _READ, _WRITE, _SYNC_READ, _SYNC_WRITE, _STATUS = 0x01, 0x02, 0x03, 0x82, 0x83, 0x55
_BAD_INSTRUCTION, _BAD_RANGE, _BAD_LENGTH, _NO_ACCESS, _ALERT = 0x02, 0x04, 0x05, 0x07, 0x80
_TABLE_BYTES = 256
_EEPROM_END = 64
_MODE, _TORQUE, _HARDWARE_ERROR, _WATCHDOG, _GOAL, _STATE = 11, 64, 70, 98, 116, 126
_GOALS = range(100, 120)
_OVERLOAD = 0x20
_WATCHDOG_STEP_S, _WATCHDOG_TRIPPED = 0.02, 0xFF
_SPEED_COUNTS_S = 4000.0
_COUNTS_S_PER_VELOCITY = 0.229 / 60.0 * 4096


class Servo:
    """One motor. Its position follows its goal at constant speed while torque is on."""

    def __init__(self, model: int, position: int) -> None:
        self.table = bytearray(_TABLE_BYTES)
        self.position = float(position)
        self._velocity = 0.0
        self.table[0:2] = struct.pack("<H", model)
        self.table[_MODE] = 3  # position control, as delivered
        self.table[_GOAL : _GOAL + 4] = struct.pack("<i", position)
        self.advance(0.0)

    @property
    def goal(self) -> int:
        """Goal position in counts."""
        return int(struct.unpack_from("<i", self.table, _GOAL)[0])

    def write(self, address: int, data: bytes) -> int:
        """Write registers; return the error that the servo answers."""
        if address + len(data) > _TABLE_BYTES:
            return _BAD_RANGE
        if address < _EEPROM_END and self.table[_TORQUE]:
            return _NO_ACCESS
        if address in _GOALS and self.table[_WATCHDOG] == _WATCHDOG_TRIPPED:
            return _BAD_RANGE
        if address == _TORQUE and self.table[_HARDWARE_ERROR]:
            return 0  # accepted, and without effect until it is switched off and on
        self.table[address : address + len(data)] = data
        return 0

    def overload(self) -> None:
        """Shut down, as a motor does that was loaded too much for too long."""
        self.table[_HARDWARE_ERROR], self.table[_TORQUE] = _OVERLOAD, 0

    def watch(self, silent_s: float) -> None:
        """Stop when the bus has been silent for too long."""
        if 0 < self.table[_WATCHDOG] < 128 and silent_s > self.table[_WATCHDOG] * _WATCHDOG_STEP_S:
            self.table[_WATCHDOG] = _WATCHDOG_TRIPPED
            self.table[_GOAL : _GOAL + 4] = struct.pack("<i", round(self.position))

    def advance(self, dt_s: float) -> None:
        """Move for `dt_s`."""
        way = self.goal - self.position if self.table[_TORQUE] else 0.0
        step = max(-_SPEED_COUNTS_S * dt_s, min(way, _SPEED_COUNTS_S * dt_s))
        self.position += step
        velocity = step / dt_s / _COUNTS_S_PER_VELOCITY if dt_s else 0.0
        self.table[_STATE : _STATE + 10] = struct.pack("<hii", 20 if step else 0, round(velocity), round(self.position))


class ServoBus:
    """Servos by id. Takes in bytes, and gives the status packets that they cause."""

    def __init__(self, servos: dict[int, Servo], faults: Faults) -> None:
        self.servos, self._faults = servos, faults
        self._buffer = bytearray()
        self._last: dict[int, bytes] = {}
        self._heard_s = 0.0

    def advance(self, now_s: float, dt_s: float) -> None:
        """Let time pass."""
        for servo in self.servos.values():
            servo.watch(now_s - self._heard_s)
            servo.advance(dt_s)

    def take(self, data: bytes, now_s: float) -> Iterator[bytes]:
        """Take in bytes from the line; yield status packets."""
        self._buffer += data
        for servo, instruction, parameters in self._packets():
            self._heard_s = now_s
            yield from self._obey(servo, instruction, parameters)

    def _packets(self) -> Iterator[tuple[int, int, bytes]]:
        while (at := self._buffer.find(_HEADER)) >= 0 and len(self._buffer) >= at + 7:
            length = struct.unpack_from("<H", self._buffer, at + 5)[0]
            packet = bytes(self._buffer[at : at + 7 + length])
            if not 3 <= length <= 1024:
                del self._buffer[: at + 1]
                continue
            if len(packet) < 7 + length:
                return
            if crc.dynamixel(packet[:-2]) != struct.unpack("<H", packet[-2:])[0]:
                del self._buffer[: at + 1]
                continue
            del self._buffer[: at + len(packet)]
            yield packet[4], packet[7], packet[8:-2].replace(b"\xff\xff\xfd\xfd", b"\xff\xff\xfd")

    def _obey(self, servo: int, instruction: int, parameters: bytes) -> Iterator[bytes]:
        if instruction == _SYNC_READ and len(parameters) >= 4:
            address, length = struct.unpack_from("<HH", parameters)
            for each in parameters[4:]:
                yield from self._read(each, address, length)
        elif instruction == _SYNC_WRITE and len(parameters) >= 4:
            address, length = struct.unpack_from("<HH", parameters)
            for at in range(4, len(parameters) - length, 1 + length):
                if parameters[at] in self.servos:
                    self.servos[parameters[at]].write(address, parameters[at + 1 : at + 1 + length])
        elif instruction == _PING:
            for each in self.servos if servo == _BROADCAST else [servo]:
                if each in self.servos:
                    yield self._status(each, 0, bytes(self.servos[each].table[0:2]) + bytes([46]))
        elif instruction == _READ and len(parameters) == 4:
            yield from self._read(servo, *struct.unpack("<HH", parameters))
        elif instruction == _WRITE and len(parameters) >= 2 and servo in self.servos:
            error = self.servos[servo].write(struct.unpack_from("<H", parameters)[0], parameters[2:])
            yield self._status(servo, error, b"")
        elif servo in self.servos:
            yield self._status(servo, _BAD_INSTRUCTION, b"")

    def _read(self, servo: int, address: int, length: int) -> Iterator[bytes]:
        if servo not in self.servos:
            return
        if self._faults.strikes("saturation"):
            self.servos[servo].overload()
        before = self._last.get(servo, b"")
        good = address + length <= _TABLE_BYTES
        data = bytes(self.servos[servo].table[address : address + length]) if good else b""
        self._last[servo] = self._status(servo, 0 if good else _BAD_LENGTH, data)
        yield before if before and self._faults.strikes("stale") else self._last[servo]

    def _status(self, servo: int, error: int, data: bytes) -> bytes:
        if self.servos[servo].table[_HARDWARE_ERROR]:
            error |= _ALERT
        return pack(servo, _STATUS, bytes([error]) + data)


def pack(servo: int, instruction: int, parameters: bytes) -> bytes:
    """Return a packet, its bytes stuffed and with its checksum."""
    body = (bytes([instruction]) + parameters).replace(b"\xff\xff\xfd", b"\xff\xff\xfd\xfd")
    packet = _HEADER + struct.pack("<BH", servo, len(body) + 2) + body
    return packet + struct.pack("<H", crc.dynamixel(packet))
