"""An MCAP bag of ours → series of stamped values."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tactus_core.errors import DataError
from tactus_core.types import Array

if TYPE_CHECKING:
    from tactus_nodes.topics import Topic


@dataclass(frozen=True)
class Series:
    """Stamped values, oldest first. t_s: (n,) capture times. values: an array with n rows, or n objects."""

    t_s: Array
    values: Any

    def index(self, t_s: float) -> int:
        """Return the row that was the newest at `t_s`; the first row before there was any."""
        return max(int(np.searchsorted(self.t_s, t_s, side="right")) - 1, 0)

    def at(self, t_s: float) -> Any:
        """Return the value that was the newest at `t_s`."""
        return self.values[self.index(t_s)]

    def cut(self, start_s: float, end_s: float) -> "Series":
        """Return the rows from `start_s` to `end_s`, both included, with time counted from `start_s`."""
        rows = slice(*np.searchsorted(self.t_s, (start_s, np.nextafter(end_s, np.inf))))
        return Series(self.t_s[rows] - start_s, self.values[rows])


def read(bag: Path, topics: "Mapping[Topic, Callable[[Any], Any]]", by_arrival: "Collection[Topic]" = ()) -> "dict[Topic, Series]":
    """Return the series of each topic of `bag`, a folder; each message goes through its topic's function. Topics without any are left out.

    by_arrival: topics whose times are those of recording: a stamp says what a message answers, which may be long ago.
    Raises DataError where the folder holds no bag that can be read.
    """
    from mcap.exceptions import McapError
    from mcap.reader import make_reader
    from rclpy.serialization import deserialize_message

    from tactus_nodes.convert import seconds

    files = sorted(bag.glob("*.mcap"))
    if not files:
        raise DataError(f"no bag in {bag}: got no *.mcap file, expected one. Did the recorder start? Its log says so.")
    wanted = {f"/{topic.name}": topic for topic in topics}
    stamps: dict[Topic, list[float]] = {}
    values: dict[Topic, list[Any]] = {}
    try:
        for file in files:
            with file.open("rb") as stream:
                for _, channel, raw in make_reader(stream).iter_messages(topics=list(wanted)):
                    topic = wanted[channel.topic]
                    message = deserialize_message(raw.data, topic.type)
                    stamp_s = raw.log_time * 1e-9 if topic in by_arrival else seconds(message.header.stamp)
                    stamps.setdefault(topic, []).append(stamp_s)
                    values.setdefault(topic, []).append(topics[topic](message))
    except McapError as error:
        raise DataError(f"{bag}: not a whole bag ({error!r}); expected one that its recorder closed. Record it again.") from None
    return {topic: Series(np.array(stamps[topic]), _stacked(values[topic])) for topic in values}


def _stacked(values: Sequence[Any]) -> Any:
    return np.stack(values) if isinstance(values[0], np.ndarray) else values
