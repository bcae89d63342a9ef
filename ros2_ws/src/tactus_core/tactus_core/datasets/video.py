"""AV1 in MP4, as LeRobot keeps pictures: the same codec, quality and distance of key frames.

Encoded by SVT-AV1 (BSD), which the wheel of PyAV brings. The pictures of a video are near to what was recorded, not equal to it.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from tactus_core.datasets.episode import Picture
from tactus_core.errors import DataError

os.environ.setdefault("SVT_LOG", "0")  # it would tell its settings on stderr, for every file; errors come as exceptions
import av
import numpy as np

CODEC = "av1"
_OPTIONS = {"g": "2", "crf": "30", "preset": "12"}
_TICKS_PER_FRAME = 512
# Of a codec that it does not know, PyAV has no height: AttributeError.
_DAMAGE = (av.FFmpegError, OSError, IndexError, ValueError, AttributeError)


class VideoWriter:
    """Writes one MP4 with `fps` pictures a second; close it, or the file is of no use."""

    def __init__(self, path: Path, fps: int, height: int, width: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._container = av.open(str(path), "w")
        stream = self._container.add_stream("libsvtav1", rate=Fraction(fps), options=_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, fps * _TICKS_PER_FRAME)
        stream.codec_context.time_base = Fraction(1, fps)
        with _scheduled_as_before():
            self._container.start_encoding()
        self._stream: Any = stream
        self.frames = 0
        self.size_bytes = 0

    def add(self, picture: Picture) -> None:
        """Append a picture (H, W, 3), rgb."""
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame.pts = self.frames
        self.frames += 1
        self._write(self._stream.encode(frame))

    def close(self) -> None:
        """Finish the file."""
        self._write(self._stream.encode())
        self._container.close()

    def discard(self) -> None:
        """Give the file up. The encoder must be told: destroyed in the middle of its work, it can wait for itself for ever."""
        with contextlib.suppress(av.FFmpegError):
            self._stream.encode()
        with contextlib.suppress(av.FFmpegError):
            self._container.close()

    def _write(self, packets: Any) -> None:
        for packet in packets:
            # Pictures of AV1 come in the order in which they are shown, so the container needs no second time for decoding.
            packet.dts = packet.pts
            self.size_bytes += packet.size
            try:
                self._container.mux(packet)
            except (av.FFmpegError, OSError) as error:
                raise DataError(f"{self._path}: picture {self.frames} cannot be written: {error}. Make room, and run it again.") from None


@contextlib.contextmanager
def _scheduled_as_before() -> Iterator[None]:
    """Undo what SVT-AV1 does as root: it puts its threads, and the one that calls it, under SCHED_FIFO 99, before everything else."""
    before, kept = os.sched_getscheduler(0), os.sched_getparam(0)
    yield
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            if os.sched_getscheduler(int(task.name)) == os.SCHED_FIFO and before != os.SCHED_FIFO:
                os.sched_setscheduler(int(task.name), before, kept)


@dataclass(frozen=True)
class VideoFile:
    """What an MP4 says of itself: size, codec, and when each of its pictures is shown (n,) [s], without decoding any."""

    path: Path
    height: int
    width: int
    codec: str
    times_s: np.ndarray

    @classmethod
    def probe(cls, path: Path) -> "VideoFile":
        """Read it; raises DataError where it is missing, or no video."""
        try:
            with av.open(str(path)) as container:
                stream = container.streams.video[0]
                pts = [packet.pts for packet in container.demux(stream) if packet.pts is not None]
                times_s = np.sort(np.array(pts, np.float64)) * float(stream.time_base or 0)
                return cls(path, stream.height, stream.width, stream.codec_context.codec.canonical_name, times_s)
        except _DAMAGE as error:
            raise DataError(f"{path} is missing, damaged or no video: {error}. Copy it again.") from None


def pictures(path: Path, first_s: float, count: int) -> Iterator[Picture]:
    """Yield `count` pictures from the one shown at `first_s` on; raises DataError where there are fewer, or they cannot be decoded."""
    given = 0
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            base = float(stream.time_base or 0)
            container.seek(round(first_s / base), stream=stream)
            half_frame_s = 0.5 / float(stream.average_rate or 30)
            for frame in container.decode(stream):
                if frame.pts is None or frame.pts * base < first_s - half_frame_s:
                    continue
                if given == count:
                    break
                given += 1
                picture: Picture = frame.to_ndarray(format="rgb24")  # type: ignore[assignment]
                yield picture
    except _DAMAGE as error:
        raise DataError(f"{path} cannot be decoded after {given} of {count} pictures: {error}. Copy it again.") from None
    if given < count:
        raise DataError(f"{path} has {given} pictures from {first_s:.3f} s on; expected {count}. Copy it again, or leave the episode out.")
