"""What the emulator tells the software device: frames, each a head and (h, w, 3) bytes of RGB. Ours, not the camera's."""

import struct
from dataclasses import dataclass

import numpy as np

from tactus_core.errors import DataError
from tactus_hardware.ports import Image

SCHEME = "tcp://"
# Mark, number, stamp [ms], domain as librealsense numbers them (0 the camera's clock, 1 system time, 2 global time), width, height.
_HEAD = struct.Struct("<4sIdBHH")
_MARK = b"RSFR"
_DOMAINS = 3
_MOST_PIXELS = 1 << 23


@dataclass(frozen=True)
class Injected:
    """A frame and what the camera says of it."""

    number: int
    stamp_ms: float
    domain: int
    image: Image


def pack(frame: Injected) -> bytes:
    """Return the bytes of a frame."""
    height, width = frame.image.shape[:2]
    return _HEAD.pack(_MARK, frame.number, frame.stamp_ms, frame.domain, width, height) + frame.image.tobytes()


class Injections:
    """Finds frames in what comes. Raises DataError where it is not what an emulator says: what follows makes no sense any more."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def take(self, data: bytes) -> list[Injected]:
        """Take in bytes; return the frames that are whole by now, oldest first."""
        self._rest += data
        found = []
        while len(self._rest) >= _HEAD.size:
            mark, number, stamp_ms, domain, width, height = _HEAD.unpack_from(self._rest)
            if mark != _MARK or not np.isfinite(stamp_ms) or domain >= _DOMAINS or not 0 < width * height <= _MOST_PIXELS:
                raise DataError("what the emulator sent is no frame")
            end = _HEAD.size + 3 * width * height
            if len(self._rest) < end:
                break
            image = np.frombuffer(bytes(self._rest[_HEAD.size : end]), dtype=np.uint8).reshape(height, width, 3)
            found.append(Injected(number, stamp_ms, domain, image))
            del self._rest[:end]
        return found
