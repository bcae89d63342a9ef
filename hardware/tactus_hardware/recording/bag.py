"""The sensors in a bag of the recorder: an MCAP file with the message definitions inside, so that it opens without ROS."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from mcap.exceptions import McapError
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory

from tactus_core.datasets import messages
from tactus_core.errors import DataError
from tactus_hardware.recording import port
from tactus_hardware.recording.port import Joints, RecordingInfo, Sample

_DAMAGE = (McapError, EOFError, OSError, ValueError, KeyError, AttributeError, RuntimeError, struct.error)


class BagRecording:
    """The sensor streams of one MCAP file. What nodes made of them (proposals, commands) is left out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        counts, self._start_ns, end_ns = self._summary()
        duration_s = (end_ns - self._start_ns) * 1e-9
        rate_Hz = next(iter(counts.values())) / duration_s if duration_s > 0.0 else 0.0
        notes = ("Samples are played when they had arrived, with the age that they had then.",)
        self.info = RecordingInfo("bag", duration_s, counts, rate_Hz, "messages over the bag's duration", notes, self._start_ns * 1e-9)

    def samples(self) -> Iterator[Sample]:
        """See `Recording`. Time 0 is the first message of the bag."""
        try:
            with self._path.open("rb") as file:
                reader = make_reader(file, decoder_factories=[DecoderFactory()])
                topics = [f"/{stream}" for stream in self.info.counts]
                for _, channel, record, message in reader.iter_decoded_messages(topics=topics):
                    stream = channel.topic.removeprefix("/")
                    stamp_ns = messages.nanoseconds(message.header.stamp)
                    time_s, stamp_s = ((ns - self._start_ns) * 1e-9 for ns in (record.log_time, stamp_ns))
                    yield Sample(time_s, stamp_s, stream, _VALUES[stream](message))
        except _DAMAGE as error:
            raise self._damaged(error) from None

    def _summary(self) -> tuple[dict[str, int], int, int]:
        try:
            with self._path.open("rb") as file:
                summary = make_reader(file).get_summary()
        except _DAMAGE as error:
            raise self._damaged(error) from None
        if summary is None or summary.statistics is None:
            raise self._damaged("its summary is missing; was the recorder cut off?")
        numbers = {channel.topic: number for number, channel in summary.channels.items()}
        found = {stream: summary.statistics.channel_message_counts.get(numbers.get(f"/{stream}", -1), 0) for stream in _VALUES}
        counts = {stream: count for stream, count in found.items() if count}
        if not counts:
            raise DataError(
                f"{self._path} holds none of the sensor streams {', '.join(_VALUES)}; it has {', '.join(sorted(numbers)) or 'none'}."
            )
        return counts, summary.statistics.message_start_time, summary.statistics.message_end_time

    def _damaged(self, why: object) -> DataError:
        return DataError(f"{self._path} is damaged, or no bag of the recorder: {why}. Copy it again, or replay another one.")


def read(path: Path, take: int, rate_Hz: float) -> BagRecording:
    """Return the sensors of a bag."""
    return BagRecording(path)


def _joints(message: Any) -> Joints:
    return Joints(tuple(message.name), np.array(message.position, np.float64), np.array(message.velocity, np.float64))


_VALUES: dict[str, Callable[[Any], Any]] = {
    port.JOINT_STATES: _joints,
    port.WRENCH: messages.wrench,
    port.WRENCH_RAW: messages.wrench,
    port.TACTILE: messages.taxels,
    port.IMAGE: messages.image,
    port.TOUCH_IMAGE: messages.image,
}
