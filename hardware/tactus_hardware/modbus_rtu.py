"""Asks a Modbus device on a serial line (RTU). One request at a time, and no second attempt: the next reading is a better one."""

import struct
import time

from tactus_core.errors import DeviceError
from tactus_hardware import crc
from tactus_hardware.serial_wire import SerialWire

READ_HOLDING, READ_INPUT = 3, 4
_WRITE_MANY = 16
_ERROR, _REFUSAL_BYTES = 0x80, 5


class WireError(DeviceError):
    """An exchange that failed. `fault`: `timeout`, `damaged` or `refused`, as drivers count them. What follows on the wire may be old."""

    def __init__(self, fault: str, why: str) -> None:
        super().__init__(why)
        self.fault = fault


class RtuBus:
    """A device with 16-bit registers. Answers carry no number: read lengths that differ from call to call, and a late answer shows.

    reads: the function that reads them, for a device has holding registers, input registers, or both.
    """

    def __init__(self, wire: SerialWire, device_id: int, answer_limit_s: float, reads: int = READ_INPUT) -> None:
        self._wire, self._device_id, self._answer_limit_s, self._reads = wire, device_id, answer_limit_s, reads

    def read(self, address: int, count: int) -> list[int]:
        """Return `count` registers, unsigned; raises WireError, or OSError where the line is gone."""
        request = struct.pack(">BHH", self._reads, address, count)
        answer = self._ask(request, bytes([self._reads, 2 * count]), 2 + 2 * count)
        return list(struct.unpack(f">{count}H", answer[2:]))

    def write(self, address: int, values: list[int]) -> None:
        """Write registers; raises WireError unless the device says that it took them, or OSError where the line is gone."""
        head = struct.pack(">BHH", _WRITE_MANY, address, len(values))
        self._ask(head + struct.pack(f">B{len(values)}H", 2 * len(values), *values), head, len(head))

    def _ask(self, request: bytes, begin: bytes, length: int) -> bytes:
        """Return the answer, which has to begin like that: `length` bytes from its function code to before its checksum."""
        frame, device = bytes([self._device_id]) + request, bytes([self._device_id])
        self._wire.discard()
        self._wire.send(frame + struct.pack("<H", crc.modbus(frame)))
        answer, deadline_s = b"", time.monotonic() + self._answer_limit_s
        refusal = device + bytes([request[0] | _ERROR])
        while len(answer) < length + 3:
            more = self._wire.receive(deadline_s)
            if not more:
                raise WireError("timeout", f"{len(answer)} bytes came within {self._answer_limit_s} s. Check power, cable and device_id.")
            answer += more
            if answer.startswith(refusal) and len(answer) == _REFUSAL_BYTES and _whole(answer):
                raise WireError("refused", f"it refuses function {request[0]} with Modbus exception {answer[2]}. Check its model.")
            if not answer.startswith(refusal) and not (device + begin).startswith(answer[: 1 + len(begin)]):
                break
        if len(answer) != length + 3 or not answer.startswith(device + begin) or not _whole(answer):
            raise WireError("damaged", f"function {request[0]} was answered by {answer.hex()}. Check the cable's shield and termination.")
        return answer[1:-2]


def _whole(frame: bytes) -> bool:
    return crc.modbus(frame[:-2]) == struct.unpack_from("<H", frame, len(frame) - 2)[0]
