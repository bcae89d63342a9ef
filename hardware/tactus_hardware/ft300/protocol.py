"""The sensor's stream: frames of 16 bytes, `20 4E`, six int16 LE (N/100, Nm/1000), and the CRC of Modbus over the 14 before it."""

import struct

import numpy as np

from tactus_core.types import Array
from tactus_hardware import crc

BAUD = 19200
DEVICE_ID = 9
STREAM_REGISTER, STREAM_ON = 410, 0x0200
FIRST_FORCE_REGISTER = 180  # six of them, for who asks by Modbus instead
FRAME_BYTES = 16
_HEADER = b"\x20\x4e"
_FRAME = struct.Struct("<2s6h")
SCALE = np.array([0.01] * 3 + [0.001] * 3)
STOP = 50 * b"\xff"


def _write_register(address: int, value: int) -> bytes:
    request = struct.pack(">BBHHBH", DEVICE_ID, 16, address, 1, 2, value)
    return request + struct.pack("<H", crc.modbus(request))


START = _write_register(STREAM_REGISTER, STREAM_ON)


def pack_frame(numbers: Array) -> bytes:
    """Return the frame of six numbers, in steps of `SCALE`."""
    frame = _FRAME.pack(_HEADER, *(int(n) for n in np.clip(np.rint(numbers), -(2**15), 2**15 - 1)))
    return frame + struct.pack("<H", crc.modbus(frame))


class Frames:
    """Finds whole frames in what comes from the line, wherever it begins. `damaged`: headers whose checksum was wrong."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.damaged = 0

    def take(self, data: bytes) -> list[Array]:
        """Take in bytes; return the wrenches (6,) force_N, torque_Nm of the frames that are whole by now, oldest first."""
        self._buffer += data
        found = []
        while (at := self._buffer.find(_HEADER)) >= 0 and len(self._buffer) >= at + FRAME_BYTES:
            frame = bytes(self._buffer[at : at + FRAME_BYTES])
            good = crc.modbus(frame[:-2]) == struct.unpack_from("<H", frame, FRAME_BYTES - 2)[0]
            if good:
                found.append(np.array(_FRAME.unpack_from(frame)[1:]) * SCALE)
            self.damaged += not good
            # After a wrong checksum the next frame may begin anywhere, also inside this one.
            del self._buffer[: at + (FRAME_BYTES if good else 1)]
        # What is left may be the beginning of a frame: from a header on, or one byte that could be half of one.
        keep = len(self._buffer) - at if at >= 0 else 1
        del self._buffer[: max(0, len(self._buffer) - keep)]
        return found
