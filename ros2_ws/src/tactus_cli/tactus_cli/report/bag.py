"""An MCAP bag of ours → series of stamped values. The definitions of its messages are in the bag."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tactus_core.errors import DataError
from tactus_core.types import Array


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


def read(bag: Path, topics: Mapping[str, Callable[[Any], Any]]) -> dict[str, Series]:
    """Return the series of each topic of `bag`, a folder; each message goes through its topic's function. Topics without any are left out.

    Raises DataError where the folder holds no bag that can be read.
    """
    from mcap.exceptions import McapError
    from mcap_ros2.reader import read_ros2_messages

    from tactus_nodes.convert import seconds

    files = sorted(bag.glob("*.mcap"))
    if not files:
        raise DataError(f"no bag in {bag}: got no *.mcap file, expected one. Did the recorder start? Its log says so.")
    stamps: dict[str, list[float]] = {}
    values: dict[str, list[Any]] = {}
    try:
        for file in files:
            for message in read_ros2_messages(file, topics=list(topics)):
                name = message.channel.topic
                stamps.setdefault(name, []).append(seconds(message.ros_msg.header.stamp))
                values.setdefault(name, []).append(topics[name](message.ros_msg))
    except McapError as error:
        raise DataError(
            f"{bag}: not a whole bag ({error}); expected one that the recorder closed. Was it killed? Record it again."
        ) from None
    return {name: Series(np.array(stamps[name]), _stacked(values[name])) for name in values}


def _stacked(values: Sequence[Any]) -> Any:
    return np.stack(values) if isinstance(values[0], np.ndarray) else values
