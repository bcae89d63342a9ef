"""The stream of an AnySkin or ReSkin board: per magnetometer four float32 LE (temperature °C, field x y z µT), then CR LF.

Neither header nor checksum: USB guards it against damage, and nothing against loss. CR LF may also stand inside of numbers. So a frame
is what lies between two CR LF, has the right length, and holds only what a magnetometer can mean.
"""

import numpy as np

from tactus_core.types import Array

BAUD = 115200  # of no consequence on USB
END = b"\r\n"
_CHIP_BYTES = 16
# What an MLX90393 can say: 16 bits of 0.1 to 11.7 µT each, and a temperature at which its board lives. Bytes that are read as numbers
# from the wrong place are mostly far smaller, or far larger.
_LEAST, _MOST_uT, _HOTTEST_C = 1e-3, 400_000.0, 150.0


def pack_frame(numbers: Array) -> bytes:
    """Return the frame of (magnetometers, 4) temperature_C, x y z uT."""
    return np.asarray(numbers, dtype="<f4").tobytes() + END


class Frames:
    """Finds whole frames in what comes from the line, wherever it begins. `damaged`: times that it had to look for the next one."""

    def __init__(self, magnetometers: int) -> None:
        self._bytes = _CHIP_BYTES * magnetometers + len(END)
        self._buffer = bytearray()  # from the CR LF before a frame on, once there was one
        self._in_step = False
        self.damaged = 0

    def take(self, data: bytes) -> list[Array]:
        """Take in bytes; return the frames (magnetometers, 4) that are whole by now, oldest first."""
        self._buffer += data
        found = []
        at = 0
        while len(self._buffer) - at >= len(END) + self._bytes:
            numbers = self._numbers(at)
            if numbers is not None:
                found.append(numbers)
            else:
                self.damaged += self._in_step
            self._in_step = numbers is not None
            at += self._bytes if self._in_step else 1
        del self._buffer[:at]
        return found

    def _numbers(self, at: int) -> Array | None:
        """Return the frame that begins after the CR LF at `at`, if all of it is as it has to be."""
        begin, end = at + len(END), at + self._bytes
        if self._buffer[at:begin] != END or self._buffer[end : end + len(END)] != END:
            return None
        numbers = np.frombuffer(bytes(self._buffer[begin:end]), "<f4").reshape(-1, 4).astype(np.float64)
        size = np.abs(numbers)
        # NaN fails.
        plausible = ((size == 0.0) | (size >= _LEAST)) & (size <= [_HOTTEST_C, _MOST_uT, _MOST_uT, _MOST_uT])
        return numbers if plausible.all() else None
