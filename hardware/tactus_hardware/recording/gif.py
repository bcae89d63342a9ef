"""Frames of an optical touch sensor from an animated GIF; its time base is the delay of each frame, in steps of 10 ms."""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence, UnidentifiedImageError

from tactus_core.errors import DataError
from tactus_hardware.recording.port import TOUCH_IMAGE, RecordingInfo, Sample

_DAMAGE = (UnidentifiedImageError, Image.DecompressionBombError, OSError, EOFError, ValueError, IndexError, SyntaxError, struct.error)
_NOTES = (
    "A GIF keeps 256 colours per frame, dithered: differences of a few grey levels mean nothing.",
    "No force, pose or joint states were recorded with the images.",
)


class GifRecording:
    """One stream of images; all frames are kept decoded."""

    def __init__(self, path: Path) -> None:
        self._frames, delays_s = _decode(path)
        self._times_s = np.concatenate([[0.0], np.cumsum(delays_s)])
        duration_s = float(self._times_s[-1])
        rate_Hz = len(delays_s) / duration_s
        self.info = RecordingInfo("gif", duration_s, {TOUCH_IMAGE: len(self._frames)}, rate_Hz, "the file's frame delays", _NOTES)

    def samples(self) -> Iterator[Sample]:
        """See `Recording`."""
        for time_s, frame in zip(self._times_s.tolist(), self._frames, strict=False):
            yield Sample(time_s, time_s, TOUCH_IMAGE, frame)


def read(path: Path, take: int, rate_Hz: float) -> GifRecording:
    """Return the recording in a GIF file."""
    return GifRecording(path)


def _decode(path: Path) -> tuple[list[NDArray[np.uint8]], list[float]]:
    # Where the end is missing the frames before it can be read, and nothing else tells that there were more.
    if not path.read_bytes().rstrip(b"\0").endswith(b";"):
        raise DataError(f"{path} is damaged: it is cut off, for a GIF ends with ';'. Copy it again, and compare its checksum.")
    try:
        with Image.open(path, formats=("GIF",)) as image:
            frames, delays_s = [], []
            for frame in ImageSequence.Iterator(image):
                frames.append(np.asarray(frame.convert("RGB")))
                delays_s.append(frame.info.get("duration", 0) * 1e-3)
    except _DAMAGE as error:
        raise DataError(f"{path} is damaged, or no GIF: {error}. Copy it again, and compare its checksum.") from None
    if not all(delay_s > 0.0 for delay_s in delays_s):
        raise DataError(
            f"{path} has frames without a delay, so its time base is unknown; expected a delay in each of its {len(frames)} frames."
        )
    return frames, delays_s
