"""Registers that answer Modbus requests; the two framings are those of TCP and of a serial line."""

import struct
from collections.abc import Callable

from tactus_hardware import crc

_READ, _READ_INPUT, _WRITE_ONE, _WRITE_MANY, _WRITE_AND_READ = 3, 4, 6, 16, 23
_ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS, _ILLEGAL_VALUE = 1, 2, 3
# A serial request's length follows from its function; those that write many registers say their own.
_RTU_REQUEST_BYTES = 8
_RTU_SAID_AT = {_WRITE_MANY: 6, _WRITE_AND_READ: 10}
_LONGEST_TCP_BYTES = 260


class Registers:
    """16-bit registers over bytes: register `a` begins at byte `step · a`, so that with step 1 neighbours overlap, as some devices have it.

    written: called with address and values after each write.
    """

    def __init__(self, bytes_: int, step: int, written: Callable[[int, list[int]], None]) -> None:
        self._memory = bytearray(bytes_)
        self._step, self._written = step, written

    def put(self, address: int, values: list[int]) -> None:
        """Set registers; values are signed or not."""
        at = address * self._step
        self._memory[at : at + 2 * len(values)] = struct.pack(f">{len(values)}H", *(value & 0xFFFF for value in values))

    def get(self, address: int, count: int) -> list[int]:
        """Return registers as signed numbers."""
        return list(struct.unpack_from(f">{count}h", self._memory, address * self._step))

    def answer(self, request: bytes) -> bytes:
        """Return what a device says to a request (function code and what follows)."""
        function = request[0]
        if function in (_READ, _READ_INPUT) and len(request) == 5:
            address, count = struct.unpack(">HH", request[1:])
            if not 1 <= count <= 125:
                return bytes([function | 0x80, _ILLEGAL_VALUE])
            if not self._holds(address, count):
                return bytes([function | 0x80, _ILLEGAL_ADDRESS])
            at = address * self._step
            return bytes([function, 2 * count]) + bytes(self._memory[at : at + 2 * count])
        if function in (_WRITE_ONE, _WRITE_MANY) and len(request) >= 5:
            return self._write(function, request)
        if function == _WRITE_AND_READ and len(request) >= 10:
            written = self._write(_WRITE_MANY, bytes([_WRITE_MANY]) + request[5:])
            read = self.answer(bytes([_READ]) + request[1:5]) if written[0] == _WRITE_MANY else written
            return bytes([read[0] & 0x80 | function]) + read[1:]
        return bytes([function | 0x80, _ILLEGAL_FUNCTION])

    def _write(self, function: int, request: bytes) -> bytes:
        (address,) = struct.unpack_from(">H", request, 1)
        data = request[3:5] if function == _WRITE_ONE else request[6:]
        if len(data) % 2 or not data:
            return bytes([function | 0x80, _ILLEGAL_VALUE])
        values = list(struct.unpack(f">{len(data) // 2}h", data))
        if not self._holds(address, len(values)):
            return bytes([function | 0x80, _ILLEGAL_ADDRESS])
        self.put(address, values)
        self._written(address, values)
        return request[:5]

    def _holds(self, address: int, count: int) -> bool:
        return address * self._step + 2 * count <= len(self._memory)


def serve_tcp(buffer: bytearray, registers: Registers) -> list[bytes]:
    """Take whole requests off the front of `buffer`; return the answers."""
    answers = []
    while len(buffer) >= 8:
        transaction, protocol, length, unit = struct.unpack_from(">HHHB", buffer)
        if protocol != 0 or not 2 <= length <= _LONGEST_TCP_BYTES:
            buffer.clear()  # not Modbus, and no way to tell where it begins again
            break
        if len(buffer) < 6 + length:
            break
        answer = registers.answer(bytes(buffer[7 : 6 + length]))
        answers.append(struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit) + answer)
        del buffer[: 6 + length]
    return answers


def serve_rtu(buffer: bytearray, device: int, registers: Registers) -> list[bytes]:
    """Take whole requests to `device` out of `buffer`, whatever lies around them; return the answers."""
    answers = []
    while len(buffer) >= 2:
        said = _RTU_SAID_AT.get(buffer[1])  # where it says how many bytes follow
        length = _RTU_REQUEST_BYTES if said is None else said + 3 + buffer[said] if len(buffer) > said else len(buffer) + 1
        if buffer[0] == device and buffer[1] in (_READ, _READ_INPUT, _WRITE_ONE, *_RTU_SAID_AT):
            if len(buffer) < length:
                break
            if crc.modbus(bytes(buffer[: length - 2])) == struct.unpack_from("<H", buffer, length - 2)[0]:
                answer = bytes([device]) + registers.answer(bytes(buffer[1 : length - 2]))
                answers.append(answer + struct.pack("<H", crc.modbus(answer)))
                del buffer[:length]
                continue
        del buffer[0]
    return answers
