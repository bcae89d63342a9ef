"""Writes `replay_buffer.zarr` as Diffusion Policy and RDP read it: zarr format 2, `data/<key>` with all rows, `meta/episode_ends`.

Keys are the columns without their `observation.` and `observation.images.`; pictures are (rows, H, W, 3) uint8, as they were recorded.
Text has no place in it and is left out. Where everything came from is in the attributes of the root.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tactus_core.datasets.episode import Episode, Picture, Values, Video
from tactus_core.errors import DataError

NAME = "replay_buffer.zarr"
_CHUNK_BYTES = 2_000_000


class ReplayBufferWriter:
    """Writes one replay buffer below `folder`. `close` writes the ends of the episodes."""

    def __init__(self, folder: Path, robot: str, about: Mapping[str, Any]) -> None:
        import zarr

        path = folder / NAME
        self._root: Any = zarr.open_group(str(path), mode="w", zarr_format=2)
        self._root.attrs.update({"robot_type": robot, **about})
        self._data: Any = self._root.create_group("data")
        self._first: Episode | None = None
        self._ends: list[int] = []
        self._origins: list[dict[str, Any]] = []

    def add(self, episode: Episode) -> None:
        """Append an episode. Raises DataError where its layout is not that of the first, or its pictures are not as many as its rows."""
        self._first = self._first or episode
        episode.require_same_layout(self._first)
        start = self._ends[-1] if self._ends else 0
        for name, values in episode.values.items():
            if values.dtype.kind != "U":
                # (rows,) as (rows, 1): the loaders cut columns as two-dimensional arrays.
                self._put(key(name), start, values.reshape(episode.rows, 1) if values.ndim == 1 else values)
        times_s = np.arange(episode.rows) / episode.fps
        self._put("timestamp", start, times_s[:, None])
        for name, video in episode.videos.items():
            written = 0
            for batch in _batches(video):
                self._put(key(name), start + written, batch)
                written += len(batch)
            if written != episode.rows:
                raise DataError(f"{episode.source}: '{name}' has {written} pictures for {episode.rows} rows. Leave this recording out.")
        self._ends.append(start + episode.rows)
        self._origins.append({"source": episode.source, "task": episode.task, **episode.origin})

    def close(self) -> None:
        """Finish; raises DataError where there was no episode."""
        if self._first is None:
            raise DataError("no episode was found, so there is no replay buffer. Look at what the sources hold.")
        ends = np.array(self._ends, np.int64)
        self._root.create_group("meta").create_array("episode_ends", data=ends, chunks=ends.shape)
        names = {key(name): list(column.names) for name, column in self._first.columns.items() if column.names}
        self._root.attrs.update({"episodes": self._origins, "fps": self._first.fps, "names": names})

    def discard(self) -> None:
        """Give the replay buffer up."""

    def _put(self, name: str, start: int, rows: Values) -> None:
        if name not in self._data:
            chunk = max(1, _CHUNK_BYTES // max(1, rows[0].nbytes))
            self._data.create_array(name, shape=(0, *rows.shape[1:]), chunks=(chunk, *rows.shape[1:]), dtype=rows.dtype)
        array = self._data[name]
        if array.shape[0] < start + len(rows):
            array.resize((start + len(rows), *rows.shape[1:]))
        array[start : start + len(rows)] = rows


def _batches(video: Video) -> Iterator[Values]:
    waiting: list[Picture] = []
    for picture in video.pictures():
        waiting.append(picture)
        if len(waiting) * picture.nbytes >= _CHUNK_BYTES:
            yield np.stack(waiting)
            waiting = []
    if waiting:
        yield np.stack(waiting)


def key(column: str) -> str:
    """Return the name of a column in a replay buffer."""
    return column.removeprefix("observation.images.").removeprefix("observation.").replace(".", "_")
