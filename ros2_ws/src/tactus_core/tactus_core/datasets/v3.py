"""Writes LeRobot data sets, version 3: Parquet, MP4 and metadata, many episodes to a file.

meta/info.json, stats.json, tasks.parquet, episodes/chunk-000/file-000.parquet; meta/tactus.json: where everything came from
data/chunk-000/file-000.parquet
videos/<camera>/chunk-000/file-000.mp4
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tactus_core.datasets import stats
from tactus_core.datasets.episode import OWN_COLUMNS, Column, Episode, Values
from tactus_core.datasets.stats import PictureStats
from tactus_core.datasets.video import CODEC, VideoFile, VideoWriter
from tactus_core.errors import DataError

VERSION = "v3.0"
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
EPISODES_PATH = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
_FILES_PER_CHUNK = 1000
_DATA_MB, _VIDEO_MB = 100, 200


class LeRobotWriter:
    """Writes one data set into `folder`, a new one. Nothing is readable before `close`, which writes the metadata."""

    def __init__(self, folder: Path, robot: str, about: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True)
        self._folder, self._robot, self._about = folder, robot, dict(about)
        self._first: Episode | None = None
        self._tasks: dict[str, int] = {}
        self._rows: list[dict[str, Any]] = []
        self._origins: list[dict[str, Any]] = []
        self._frames = 0
        self._kept: dict[str, list[Values]] = {}
        self._data: pq.ParquetWriter | None = None
        self._data_file = -1
        self._cameras: dict[str, _Camera] = {}

    def add(self, episode: Episode) -> None:
        """Append an episode. Raises DataError where its layout is not that of the first, or its pictures are not as many as its rows."""
        if self._first is None:
            self._first = episode
            self._cameras = {name: _Camera(self._folder, name, episode.fps) for name in episode.videos}
        episode.require_same_layout(self._first)
        task = self._tasks.setdefault(episode.task, len(self._tasks))
        number, length = len(self._rows), episode.rows
        index = np.arange(length)
        own: dict[str, Values] = {
            "timestamp": (index / episode.fps).astype(np.float32),
            "frame_index": index,
            "episode_index": np.full(length, number),
            "index": index + self._frames,
            "task_index": np.full(length, task),
        }
        values = {**episode.values, **own}
        row = {"episode_index": number, "tasks": [episode.task], "length": length, **self._write_rows(values)}
        row |= {"dataset_from_index": self._frames, "dataset_to_index": self._frames + length}
        found = stats.of_columns(_all_columns(episode), values)
        for name, camera in self._cameras.items():
            place, found[name] = camera.add(episode, name)
            row |= {f"videos/{name}/{key}": value for key, value in place.items()}
        row |= {f"stats/{name}/{key}": value for name, of in found.items() for key, value in of.items()}
        self._rows.append(row | {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0})
        self._origins.append({"source": episode.source, **episode.origin})
        self._frames += length

    def close(self) -> None:
        """Finish all files; raises DataError where there was no episode."""
        if self._first is None or self._data is None:
            raise DataError("no episode was found, so there is no data set. Look at what the sources hold.")
        self._data.close()
        for camera in self._cameras.values():
            camera.close()
        meta = self._folder / "meta"
        meta.mkdir()
        _write_json(meta / "info.json", self._info(self._first))
        _write_json(meta / "stats.json", self._all_stats(self._first))
        _write_json(meta / "tactus.json", self._about | {"episodes": self._origins})
        pq.write_table(_tasks_table(list(self._tasks)), meta / "tasks.parquet")
        path = self._folder / EPISODES_PATH.format(chunk_index=0, file_index=0)
        path.parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(self._rows), path)

    def discard(self) -> None:
        """Give the data set up: its encoders end."""
        for camera in self._cameras.values():
            camera.discard()

    def _write_rows(self, values: Mapping[str, Values]) -> dict[str, int]:
        table = pa.table({name: _arrow(column) for name, column in values.items()})
        path = self._data_path()
        if self._data is None or path.stat().st_size > _DATA_MB * 1_000_000:
            if self._data is not None:
                self._data.close()
            self._data_file += 1
            path = self._data_path()
            path.parent.mkdir(parents=True, exist_ok=True)
            self._data = pq.ParquetWriter(path, table.schema, write_page_checksum=True)
        self._data.write_table(table)  # one row group per episode: an episode is read without the others
        for name, column in values.items():
            if column.dtype.kind != "U":
                self._kept.setdefault(name, []).append(column)
        return {f"data/{key}": value for key, value in _place(self._data_file).items()}

    def _data_path(self) -> Path:
        return self._folder / DATA_PATH.format(**_place(max(self._data_file, 0)))

    def _all_stats(self, first: Episode) -> dict[str, Any]:
        values = {name: np.concatenate(parts) for name, parts in self._kept.items()}
        return stats.of_columns(_all_columns(first), values) | {name: camera.stats.result() for name, camera in self._cameras.items()}

    def _info(self, first: Episode) -> dict[str, Any]:
        features: dict[str, Any] = {}
        for name, column in _all_columns(first).items():
            features[name] = {"dtype": column.dtype, "shape": list(column.shape), "names": list(column.names) if column.names else None}
            if column.about:
                features[name]["about"] = column.about
        for name, video in first.videos.items():
            features[name] = self._cameras[name].feature(video.height, video.width, first.fps)
        return {
            "codebase_version": VERSION,
            "robot_type": self._robot,
            "total_episodes": len(self._rows),
            "total_frames": self._frames,
            "total_tasks": len(self._tasks),
            "chunks_size": _FILES_PER_CHUNK,
            "data_files_size_in_mb": _DATA_MB,
            "video_files_size_in_mb": _VIDEO_MB,
            "fps": first.fps,
            "splits": {"train": f"0:{len(self._rows)}"},
            "data_path": DATA_PATH,
            "video_path": VIDEO_PATH if first.videos else None,
            "features": features,
        }


class _Camera:
    """The video files of one camera. Pictures that are a whole file already are copied, not encoded again."""

    def __init__(self, folder: Path, name: str, fps: int) -> None:
        self._folder, self._name, self._fps = folder, name, fps
        self._file = -1
        self._writer: VideoWriter | None = None
        self._codec = CODEC
        self.stats = PictureStats()

    def add(self, episode: Episode, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Write an episode's pictures; return where they are, and their statistics."""
        video, found = episode.videos[name], PictureStats()
        chosen = PictureStats.chosen(episode.rows)
        if video.whole_file is not None:
            first_s = 0.0
            self.close()
            path = self._next()
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(video.whole_file, path)
            self._codec = VideoFile.probe(path).codec
        elif self._writer is None or self._writer.size_bytes > _VIDEO_MB * 1_000_000:
            self.close()
            self._writer = VideoWriter(self._next(), self._fps, video.height, video.width)
        if self._writer is not None:
            first_s = self._writer.frames / self._fps
        count = 0
        for row, picture in enumerate(video.pictures()):
            if row in chosen:
                found.add(picture)
            if self._writer is not None:
                self._writer.add(picture)
            count += 1
        if count != episode.rows:
            raise DataError(f"{episode.source}: '{name}' has {count} pictures for {episode.rows} rows. Leave this recording out.")
        self.stats += found
        place = {**_place(self._file), "from_timestamp": first_s, "to_timestamp": first_s + episode.rows / self._fps}
        return place, found.result()

    def close(self) -> None:
        """Finish the file that is open."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def discard(self) -> None:
        """Give up the file that is open."""
        if self._writer is not None:
            self._writer.discard()
            self._writer = None

    def feature(self, height: int, width: int, fps: int) -> dict[str, Any]:
        """Return what `info.json` says of this camera."""
        about = {
            "height": height,
            "width": width,
            "codec": self._codec,
            "pix_fmt": "yuv420p",
            "is_depth_map": False,
            "fps": fps,
            "channels": 3,
        }
        info = {f"video.{key}": value for key, value in about.items()} | {"has_audio": False}
        return {"dtype": "video", "shape": [height, width, 3], "names": ["height", "width", "channels"], "info": info}

    def _next(self) -> Path:
        self._file += 1
        return self._folder / VIDEO_PATH.format(video_key=self._name, **_place(self._file))


def _place(file: int) -> dict[str, int]:
    chunk, rest = divmod(file, _FILES_PER_CHUNK)
    return {"chunk_index": chunk, "file_index": rest}


def _all_columns(episode: Episode) -> dict[str, Column]:
    return dict(episode.columns) | {name: Column(dtype) for name, dtype in OWN_COLUMNS.items()}


def _arrow(values: Values) -> pa.Array:
    """Return rows as Arrow keeps them: (n,) as it is, (n, k) as lists of a fixed length, more as lists of lists."""
    if values.ndim == 1:
        return pa.array(values)
    if values.ndim == 2:
        return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).ravel()), values.shape[1])
    inner = _arrow(values.reshape(-1, *values.shape[2:]))
    return pa.ListArray.from_arrays(pa.array(np.arange(len(values) + 1) * values.shape[1], pa.int32()), inner)


def _tasks_table(tasks: list[str]) -> pa.Table:
    # LeRobot reads it with pandas, the texts as the index; what pandas would write is written here without it.
    def described(name: str, kind: str, numpy: str) -> dict[str, Any]:
        return {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy, "metadata": None}

    columns = [described("task_index", "int64", "int64"), described("task", "unicode", "object")]
    about = {"index_columns": ["task"], "column_indexes": [], "columns": columns, "pandas_version": "2.2.0"}
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "task": pa.array(tasks)})
    return table.replace_schema_metadata({"pandas": json.dumps(about)})


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=4) + "\n")
