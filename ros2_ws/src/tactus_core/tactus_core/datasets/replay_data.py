"""Reads replay buffers: `replay_buffer.zarr` as Diffusion Policy, RDP and `replay_buffer.py` write it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tactus_core.datasets.episode import Column, Episode, Picture, is_lerobot
from tactus_core.datasets.replay_buffer import NAME
from tactus_core.errors import DataError

_BATCH = 64


@dataclass(frozen=True)
class BufferVideo:
    """The pictures of one camera in one episode."""

    array: Any
    first: int
    rows: int
    whole_file: Path | None = None

    @property
    def height(self) -> int:
        """See `Video`."""
        return int(self.array.shape[1])

    @property
    def width(self) -> int:
        """See `Video`."""
        return int(self.array.shape[2])

    def pictures(self) -> Iterator[Picture]:
        """See `Video`."""
        for start in range(self.first, self.first + self.rows, _BATCH):
            yield from self.array[start : min(start + _BATCH, self.first + self.rows)]


def is_replay_buffer(folder: Path) -> bool:
    """Tell whether a folder is a replay buffer, or holds one."""
    return (_root(folder) / "data").is_dir()


def is_data_set(folder: Path) -> bool:
    """Tell whether a folder is a data set of recordings: LeRobot's, or a replay buffer."""
    return is_lerobot(folder) or is_replay_buffer(folder)


def _root(folder: Path) -> Path:
    return folder if folder.suffix == ".zarr" else folder / NAME


class ReplayBufferData:
    """One replay buffer on the disk. Raises DataError where it cannot be read, or says nothing of its rate.

    The rate is what the root's attribute `fps` says, or what `data/timestamp` shows.
    """

    def __init__(self, folder: Path) -> None:
        import zarr

        self.folder = _root(folder)
        try:
            root: Any = zarr.open_group(str(self.folder), mode="r")
            self._data: Any = root["data"]
            self._ends = np.asarray(root["meta"]["episode_ends"][:], np.int64)
            self._names: dict[str, list[str]] = dict(root.attrs.get("names", {}))
            self._task = str(root.attrs.get("task", "task not named"))
            self.fps = int(root.attrs.get("fps") or self._rate_hz())
        except (OSError, KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
            raise DataError(f"{self.folder} is damaged, or no replay buffer: {type(error).__name__}: {error}. Copy it again.") from None
        if not len(self._ends) or (np.diff(self._ends, prepend=0) <= 0).any():
            raise DataError(f"{self.folder}: meta/episode_ends is {self._ends.tolist()[:5]}…, expected numbers that rise. Copy it again.")

    def _rate_hz(self) -> float:
        if "timestamp" not in self._data:
            raise ValueError("neither an attribute 'fps' nor data/timestamp says how many rows a second has")
        return float(np.rint(1.0 / np.median(np.diff(self._data["timestamp"][: self._ends[0]].ravel()))))

    def episodes(self) -> Iterator[Episode]:
        """Yield all episodes; raises DataError where one cannot be read."""
        for number, (start, end) in enumerate(zip([0, *self._ends[:-1]], self._ends, strict=True)):
            columns, values, videos = {}, {}, {}
            for name, array in self._data.arrays():
                if array.shape[0] < end:
                    raise DataError(f"{self.folder}: data/{name} has {array.shape[0]} rows, the episodes end at {end}. Copy it again.")
                if array.dtype == np.uint8 and array.ndim == 4:
                    videos[name] = BufferVideo(array, int(start), int(end - start))
                    continue
                rows = array[start:end]
                values[name] = rows[:, 0] if rows.ndim == 2 and rows.shape[1] == 1 else rows
                names = self._names.get(name)
                columns[name] = Column(str(rows.dtype), rows.shape[1:], tuple(names) if names else None)
            yield Episode(f"{self.folder}, episode {number}", self._task, self.fps, columns, values, videos, {"episode": number})
