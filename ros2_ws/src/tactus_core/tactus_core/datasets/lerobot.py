"""Reads LeRobot data sets, v2.1 (a file per episode) and v3 (many episodes to a file), with their pictures as videos."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tactus_core.datasets import video
from tactus_core.datasets.episode import OWN_COLUMNS, Column, Episode, Picture, Values
from tactus_core.errors import DataError

_VERSIONS = ("v2.1", "v3.0")


@dataclass(frozen=True)
class VideoPart:
    """Where the pictures of one camera in one episode are: `rows` of them in `path`, from `first_s` on."""

    path: Path
    first_s: float
    rows: int
    height: int
    width: int
    whole_file: Path | None

    def pictures(self) -> Iterator[Picture]:
        """See `Video`."""
        return video.pictures(self.path, self.first_s, self.rows)


@dataclass(frozen=True)
class Entry:
    """What the metadata say of one episode. videos: by camera."""

    number: int
    task: str
    rows: int
    data: Path
    videos: Mapping[str, VideoPart]


class LeRobotData:
    """One data set on the disk. Raises DataError where its metadata cannot be read, or are of another version."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.info: dict[str, Any] = json.loads((folder / "meta" / "info.json").read_text())
            self.version = str(self.info["codebase_version"])
            self.fps = int(self.info["fps"])
            self.columns = {name: _column(of) for name, of in self.info["features"].items() if of["dtype"] != "video"}
            self._sizes = {name: _size(of) for name, of in self.info["features"].items() if of["dtype"] == "video"}
            if self.version not in _VERSIONS:
                raise DataError(
                    f"{folder} is LeRobot {self.version}; expected {' or '.join(_VERSIONS)}. Convert it with LeRobot's own tools first."
                )
            self.entries = self._entries_v2() if self.version == "v2.1" else self._entries_v3()
        except (OSError, KeyError, IndexError, TypeError, ValueError, pa.ArrowException) as error:
            raise DataError(f"{folder} is damaged, or no LeRobot data set: {type(error).__name__}: {error}. Copy it again.") from None

    def table(self, entry: Entry) -> dict[str, Values]:
        """Return all columns of an episode, LeRobot's own with them. Raises DataError where the file does not fit the metadata."""
        try:
            filters = None if self.version == "v2.1" else [("episode_index", "=", entry.number)]
            table = pq.read_table(entry.data, filters=filters, page_checksum_verification=True)
            return {name: _values(table[name], column) for name, column in self.columns.items()}
        except (OSError, KeyError, ValueError, pa.ArrowException) as error:
            raise DataError(f"{entry.data}, episode {entry.number}: {type(error).__name__}: {error}. Copy it again.") from None

    def episode(self, entry: Entry) -> Episode:
        """Return one episode; raises DataError where it cannot be read."""
        columns = {name: column for name, column in self.columns.items() if name not in OWN_COLUMNS}
        table = self.table(entry)
        values = {name: table[name] for name in columns}
        origin = {"data_set": str(self.folder), "version": self.version, "episode": entry.number}
        return Episode(f"{self.folder}, episode {entry.number}", entry.task, self.fps, columns, values, entry.videos, origin)

    def episodes(self) -> Iterator[Episode]:
        """Yield all episodes; raises DataError where one cannot be read."""
        return map(self.episode, self.entries)

    def _entries_v2(self) -> list[Entry]:
        found = []
        for line in (self.folder / "meta" / "episodes.jsonl").read_text().splitlines():
            row = json.loads(line)
            number, rows = int(row["episode_index"]), int(row["length"])
            where = {"episode_index": number, "episode_chunk": number // int(self.info["chunks_size"])}
            videos = {}
            for name, (height, width) in self._sizes.items():
                path = self.folder / self.info["video_path"].format(video_key=name, **where)
                videos[name] = VideoPart(path, 0.0, rows, height, width, whole_file=path)
            found.append(Entry(number, row["tasks"][0], rows, self.folder / self.info["data_path"].format(**where), videos))
        return found

    def _entries_v3(self) -> list[Entry]:
        found = []
        for file in sorted((self.folder / "meta" / "episodes").glob("*/*.parquet")):
            names = [name for name in pq.read_schema(file).names if not name.startswith("stats/")]
            for row in pq.read_table(file, columns=names).to_pylist():
                videos = {name: self._part_v3(row, name) for name in self._sizes}
                data = self.folder / self.info["data_path"].format(chunk_index=row["data/chunk_index"], file_index=row["data/file_index"])
                found.append(Entry(int(row["episode_index"]), row["tasks"][0], int(row["length"]), data, videos))
        return found

    def _part_v3(self, row: Mapping[str, Any], name: str) -> VideoPart:
        at = {key: row[f"videos/{name}/{key}"] for key in ("chunk_index", "file_index", "from_timestamp")}
        path = self.folder / self.info["video_path"].format(video_key=name, **at)
        return VideoPart(path, float(at["from_timestamp"]), int(row["length"]), *self._sizes[name], whole_file=None)


def _column(feature: Mapping[str, Any]) -> Column:
    if feature["dtype"] == "image":
        raise ValueError("its pictures are in the Parquet files; expected videos")
    shape = tuple(int(size) for size in feature["shape"])
    return Column(str(feature["dtype"]), shape, _names(feature.get("names"), shape), str(feature.get("about", "")))


def _names(names: Any, shape: tuple[int, ...]) -> tuple[str, ...] | None:
    """Return names as one list: some data sets nest them, as [[…]] or {"motors": […]}."""
    while isinstance(names, dict) or (isinstance(names, list) and len(names) == 1 and isinstance(names[0], list)):
        names = next(iter(names.values())) if isinstance(names, dict) else names[0]
    return tuple(map(str, names)) if isinstance(names, list) and len(names) == shape[0] else None


def _size(feature: Mapping[str, Any]) -> tuple[int, int]:
    sizes = dict(zip(feature["names"], feature["shape"], strict=True))
    return int(sizes["height"]), int(sizes["width"])


def _values(chunked: Any, column: Column) -> Values:
    if column.dtype == "string":
        return np.array(chunked.to_pylist(), dtype=np.str_)
    flat = chunked.combine_chunks()
    if isinstance(flat, pa.ChunkedArray):
        flat = flat.chunk(0)
    rows = len(flat)
    while pa.types.is_list(flat.type) or pa.types.is_fixed_size_list(flat.type) or pa.types.is_large_list(flat.type):
        flat = flat.flatten()
    values = flat.to_numpy(zero_copy_only=False)
    if str(values.dtype) != column.dtype:
        raise ValueError(f"values are {values.dtype}, expected {column.dtype}")
    return values.reshape(rows) if column.shape == (1,) else values.reshape(rows, *column.shape)
