"""MCAP bags of the recorder → stamped streams. The message definitions are in the bag, so it opens without ROS.

What the libraries raise for damaged bytes has no common base (zstd's and lz4's own errors are among it): all of it becomes a DataError.
A stream's times are capture stamps; those of decisions (verdict, proposal, chunk), of marks and of messages without a stamp are times of
arrival at the recorder: a decision's stamp says what it answers, which may be long ago.
"""

import struct
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.datasets import messages
from tactus_core.errors import DataError

Times = NDArray[np.int64]
VERDICT, PROPOSAL, CHUNK, MARK, WORLD, OUTCOME = "/verdict", "/proposal", "/chunk", "/episode/mark", "/sim/world", "/sim/outcome"
# Name of the MCAP metadata in which the recorder says how many messages of each topic the bag lacks: none named, none lost.
DROPPED = "tactus.dropped"
JOINTS = ("/joint_states", "/arm/joint_states", "/hand/joint_states")
WRENCHES = ("/wrench", "/wrench/raw")
TACTILE = "/tactile"
IMAGE_TYPE = "sensor_msgs/msg/Image"
BY_ARRIVAL = (VERDICT, PROPOSAL, CHUNK, MARK)
_STAMPED_READERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(WRENCHES, messages.wrench),
    TACTILE: messages.taxels,
    **dict.fromkeys((*JOINTS, VERDICT, PROPOSAL, CHUNK, MARK, WORLD, OUTCOME), lambda message: message),
}


@dataclass(frozen=True)
class Stream:
    """One topic, oldest first. time_ns, arrival_ns: (n,). values: an array (n, ...), or n messages; of images: their places in the bag.

    backwards: (m,) arrival times of messages that were older than the one before; they are left out: old is not new.
    """

    topic: str
    time_ns: Times
    arrival_ns: Times
    values: Any
    backwards: Times

    def newest(self, tick_ns: Times) -> NDArray[np.intp]:
        """Return the row that was the newest at each tick; −1 before there was any."""
        return np.searchsorted(self.time_ns, tick_ns, side="right") - 1


class Bag:
    """All streams of one bag that a data set can hold; images stay in the bag until they are asked for.

    reach_ns: when its first and its last message arrived. since: says of those two from when on it is worth reading [ns].
    """

    def __init__(self, source: Path, since: Callable[[int, int], int] = lambda first_ns, last_ns: first_ns) -> None:
        self.source = source
        self._files = sorted(source.glob("*.mcap")) if source.is_dir() else [source]
        if not self._files:
            raise DataError(f"{source} holds no *.mcap file. Name the folder of a bag, as the recorder writes it, or one MCAP file.")
        self.images: tuple[str, ...] = ()
        self.left_out: tuple[str, ...] = ()
        self.dropped: dict[str, int] = {}
        self.reach_ns = self._find_topics()
        self.streams = self._read(since(*self.reach_ns))
        if not self.streams:
            raise DataError(f"{source} holds none of the streams that a data set is made of. Was the robot running when it was recorded?")

    def pictures(self, topic: str, places: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        """Yield the images at `places`, which must not fall: (H, W, 3) rgb. Raises DataError for other encodings."""
        if not len(places):
            return
        arrivals_ns = self._image_arrivals_ns[topic]
        # Chunks of the file that end before the first one are not even unpacked.
        start_ns = arrivals_ns[places[0]]
        wanted = iter(places)
        place = next(wanted, None)
        for number, (_, _, _, decode) in enumerate(self._messages([topic], start_ns), start=bisect_left(arrivals_ns, start_ns)):
            if place is None:
                return
            if number == place:
                try:
                    picture = messages.image(decode())
                except ValueError as error:
                    raise DataError(f"{self.source}, {topic}: {error}. Leave the camera out, or record it as rgb8.") from None
                while place == number:
                    yield picture
                    place = next(wanted, None)

    def first(self, topic: str) -> Any | None:
        """Return the first message of any topic; None where there is none."""
        return next((decode() for _, _, _, decode in self._messages([topic])), None)

    def _find_topics(self) -> tuple[int, int]:
        """Find what there is; return the bag's reach."""
        from mcap.reader import make_reader

        types: dict[str, str] = {}
        ends_ns: list[int] = []
        for file in self._files:
            try:
                with file.open("rb") as opened:
                    reader = make_reader(opened)
                    summary = reader.get_summary()
                    told = [record.metadata for record in reader.iter_metadata() if record.name == DROPPED]
                    self.dropped |= {topic: int(count) for counts in told for topic, count in counts.items()}
            except Exception as error:
                raise self._damaged(error) from None
            if summary is None or summary.statistics is None:
                raise self._damaged("its summary is missing; was the recorder cut off?")
            counts = summary.statistics.channel_message_counts
            ends_ns += [summary.statistics.message_start_time, summary.statistics.message_end_time]
            try:
                types |= {c.topic: summary.schemas[c.schema_id].name for n, c in summary.channels.items() if counts.get(n)}
            except KeyError as error:
                raise self._damaged(f"a topic's type is missing: {error}") from None
        self.images = tuple(sorted(topic for topic, name in types.items() if name == IMAGE_TYPE))
        self._topics = [topic for topic in types if topic in _STAMPED_READERS or topic in self.images]
        self.left_out = tuple(sorted(set(types) - set(self._topics)))
        return min(ends_ns), max(ends_ns)

    def _messages(self, topics: Sequence[str], start_ns: int | None = None) -> Iterator[tuple[str, int, bytes, Callable[[], Any]]]:
        """Yield topic, arrival [ns], bytes, and the function that decodes them, in order of arrival."""
        from mcap.reader import make_reader
        from mcap_ros2.decoder import DecoderFactory

        for file in self._files:
            factory = DecoderFactory()
            try:
                with file.open("rb") as opened:
                    reader = make_reader(opened, validate_crcs=True)
                    for schema, channel, record in reader.iter_messages(topics=list(topics), starting_at=start_ns):
                        decode = factory.decoder_for(channel.message_encoding, schema)
                        if decode is None:
                            raise ValueError(f"{channel.topic} is {channel.message_encoding}, expected cdr with a ros2msg definition")
                        yield channel.topic, record.log_time, record.data, partial(self._decoded, decode, record.data)
            except Exception as error:
                raise self._damaged(error) from None

    def _decoded(self, decode: Callable[[bytes], Any], data: bytes) -> Any:
        try:
            return decode(data)
        except Exception as error:
            raise self._damaged(error) from None

    def _read(self, since_ns: int) -> dict[str, Stream]:
        found: dict[str, list[tuple[int, int, Any]]] = {}
        for topic, arrival_ns, data, decode in self._messages(self._topics, since_ns):
            kept = found.setdefault(topic, [])
            try:
                if topic in self.images:
                    sec, nanosec = messages.first_stamp(data)
                    kept.append((sec * 1_000_000_000 + nanosec, arrival_ns, len(kept)))
                else:
                    message = decode()
                    time_ns = arrival_ns if topic in BY_ARRIVAL else messages.nanoseconds(message.header.stamp)
                    kept.append((time_ns, arrival_ns, _STAMPED_READERS[topic](message)))
            except (ValueError, AttributeError, struct.error) as error:
                raise DataError(
                    f"{self.source}, {topic}: {error}. This topic cannot become columns; record it as the drivers do."
                ) from None
        self._image_arrivals_ns = {topic: [row[1] for row in found.get(topic, ())] for topic in self.images}
        return {topic: _stream(topic, kept) for topic, kept in found.items()}

    def _damaged(self, why: object) -> DataError:
        return DataError(f"{self.source} is damaged, or no bag of the recorder: {why}. Copy it again, or use another one.")


def _stream(topic: str, kept: Sequence[tuple[int, int, Any]]) -> Stream:
    time_ns = np.array([row[0] for row in kept], np.int64)
    arrival_ns = np.array([row[1] for row in kept], np.int64)
    forward = time_ns >= np.maximum.accumulate(time_ns)
    values: Any = [row[2] for row, is_forward in zip(kept, forward.tolist(), strict=True) if is_forward]
    if values and isinstance(values[0], np.ndarray):
        shapes = {value.shape for value in values}
        if len(shapes) > 1:
            raise DataError(f"{topic} changes its shape from message to message: {sorted(shapes)}. Record one sensor per topic.")
        values = np.stack(values)
    return Stream(topic, time_ns[forward], arrival_ns[forward], values, arrival_ns[~forward])
