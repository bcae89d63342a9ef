"""What an episode of a data set is, wherever it comes from and wherever it goes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import DataError

Values = NDArray[Any]
Picture = NDArray[np.uint8]
# How a pose of the tcp is called in `action` and in proposals.
POSE_NAMES = ("tcp_x", "tcp_y", "tcp_z", "tcp_qx", "tcp_qy", "tcp_qz", "tcp_qw")
# Columns that LeRobot keeps itself; they follow from an episode's number and length.
OWN_COLUMNS = {"timestamp": "float32", "frame_index": "int64", "episode_index": "int64", "index": "int64", "task_index": "int64"}


@dataclass(frozen=True)
class Column:
    """One column: dtype as NumPy calls it, or `string`; shape of one row; names of its values; and what is in it (unit, frame, source)."""

    dtype: str
    shape: tuple[int, ...] = (1,)
    names: tuple[str, ...] | None = None
    about: str = ""


class Video(Protocol):
    """The pictures of one camera in one episode, one for each row."""

    @property
    def height(self) -> int:
        """Of each picture."""
        ...

    @property
    def width(self) -> int:
        """Of each picture."""
        ...

    @property
    def whole_file(self) -> Path | None:
        """An MP4 with just these pictures, where there is one."""
        ...

    def pictures(self) -> Iterator[Picture]:
        """Yield (H, W, 3) uint8, rgb, one for each row. Raises DataError where they cannot be read."""
        ...


@dataclass(frozen=True)
class Episode:
    """Rows on a grid of `1 / fps`. source: what to call it in a message. values: (rows, *shape) by column; of strings (rows,).

    origin: where each part came from, for the data set's provenance.
    """

    source: str
    task: str
    fps: int
    columns: Mapping[str, Column]
    values: Mapping[str, Values]
    videos: Mapping[str, Video] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return len(next(iter(self.values.values())))

    def require_same_layout(self, first: "Episode") -> None:
        """Raise DataError where columns, shapes, cameras or the rate are not those of `first`: a data set has one layout."""
        for what, got, expected in (
            ("rate", self.fps, first.fps),
            ("columns", _layout(self), _layout(first)),
            ("cameras", _sizes(self), _sizes(first)),
        ):
            if got != expected:
                raise DataError(
                    f"{self.source} does not fit beside {first.source}: its {what} are {_difference(got, expected)}. Recordings of "
                    "different robots, sensors or rates need data sets of their own."
                )


def _layout(episode: Episode) -> dict[str, Any]:
    return {name: (column.dtype, column.shape, column.names) for name, column in episode.columns.items()}


def _sizes(episode: Episode) -> dict[str, Any]:
    return {name: (video.height, video.width) for name, video in episode.videos.items()}


def _difference(got: Any, expected: Any) -> str:
    if not isinstance(got, dict):
        return f"{got}, expected {expected}"
    names = [name for name in {**got, **expected} if got.get(name) != expected.get(name)]
    return "; ".join(f"'{name}' {got.get(name, 'missing')}, expected {expected.get(name, 'none')}" for name in names)


def is_lerobot(folder: Path) -> bool:
    """Tell whether a folder looks like a LeRobot data set."""
    return (folder / "meta" / "info.json").is_file()


def joined(parts: Sequence[Values], rows: int) -> Values:
    """Return columns side by side: (rows, sum of widths)."""
    return np.concatenate([part.reshape(rows, -1) for part in parts], axis=1)
