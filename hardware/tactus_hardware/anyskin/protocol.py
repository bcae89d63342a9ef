"""The stream of an AnySkin or ReSkin board: per magnetometer four float32 LE (temperature °C, field x y z µT), then CR LF.

Neither header nor checksum: USB guards it against damage, and nothing against loss. CR LF may also stand inside of numbers. So a frame
is what has the right length, ends with CR LF, and holds only what a magnetometer can mean; and after anything else, only where another
such frame follows at once.
"""

import numpy as np

from tactus_core.types import Array

BAUD = 115200  # of no consequence on USB
END = b"\r\n"
_CHIP_BYTES = 16
# What an MLX90393 can say: 16 bits of at most 11.7 µT each, and a temperature at which its board lives.
_MOST_uT, _COLDEST_C, _HOTTEST_C = 400_000.0, -55.0, 150.0


def pack_frame(numbers: Array) -> bytes:
    """Return the frame of (magnetometers, 4) temperature_C, x y z uT."""
    return np.asarray(numbers, dtype="<f4").tobytes() + END


class Frames:
    """Finds whole frames in what comes from the line, wherever it begins. `damaged`: times that it had to look for a beginning."""

    def __init__(self, magnetometers: int) -> None:
        self._bytes = _CHIP_BYTES * magnetometers + len(END)
        self._buffer = bytearray()
        self._in_step = False
        self.damaged = 0

    def take(self, data: bytes) -> list[Array]:
        """Take in bytes; return the frames (magnetometers, 4) that are whole by now, oldest first."""
        self._buffer += data
        found = []
        at = 0
        while len(self._buffer) - at >= self._bytes * (1 if self._in_step else 2):
            numbers = self._numbers(at)
            if numbers is not None and (self._in_step or self._numbers(at + self._bytes) is not None):
                found.append(numbers)
                self._in_step = True
                at += self._bytes
            else:
                self.damaged += self._in_step
                self._in_step = False
                at += 1
        del self._buffer[:at]
        return found

    def _numbers(self, at: int) -> Array | None:
        end = at + self._bytes - len(END)
        if self._buffer[end : end + len(END)] != END:
            return None
        numbers = np.frombuffer(bytes(self._buffer[at:end]), "<f4").reshape(-1, 4).astype(np.float64)
        temperature_C, field_uT = numbers[:, 0], numbers[:, 1:]
        # NaN fails all of these.
        plausible = (np.abs(field_uT) <= _MOST_uT).all() and (temperature_C >= _COLDEST_C).all() and (temperature_C <= _HOTTEST_C).all()
        return numbers if plausible else None
