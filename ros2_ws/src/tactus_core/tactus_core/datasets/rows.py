"""Streams → rows on a steady grid."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tactus_core.datasets.bag import Bag, Stream, Times
from tactus_core.datasets.episode import Column, Episode, Picture, Values, joined
from tactus_core.datasets.series import Part, Series, series_of, stream_name
from tactus_core.datasets.spans import Span, spans
from tactus_core.errors import DataError

RULE = (
    "Each row holds the newest value not after its tick, and nothing is interpolated. Observations count by their capture stamps, "
    "verdicts and proposals by their arrival at the recorder. 'age.<stream>' says how old the value was at the tick [s]; 'time_ns' is "
    "the tick on the recording's clock, 'timestamp' the same from the episode's start. An episode begins with the first tick at which "
    "every stream has a value, and the guard has sent a whole command."
)
_EDGES = ("intervention_onset", "intervention_offset", "mark")


@dataclass(frozen=True)
class BagVideo:
    """The pictures of one camera of a bag, by their places in it."""

    bag: Bag
    topic: str
    places: NDArray[np.intp]
    height: int
    width: int
    whole_file: Path | None = None

    def pictures(self) -> Iterator[Picture]:
        """See `Video`."""
        return self.bag.pictures(self.topic, self.places.tolist())


def episodes(bag: Bag, fps: int, task: str) -> Iterator[Episode]:
    """Yield the episodes of a bag, on a grid of `1 / fps` s, in order. Raises DataError where a stream has no value in one of them."""
    series = series_of(bag)
    cameras = {f"observation.images.{_camera(topic)}": bag.streams[topic] for topic in bag.images}
    sizes = {name: next(bag.pictures(stream.topic, stream.values[:1])).shape[:2] for name, stream in cameras.items()}
    for span in spans(bag):
        tick_ns = _ticks(bag, span, series, list(cameras.values()), fps)
        columns, values = _rows(series, tick_ns)
        videos = {}
        for name, stream in cameras.items():
            row = stream.newest(tick_ns)
            videos[name] = BagVideo(bag, stream.topic, np.array(stream.values)[row], *sizes[name])
            _put(columns, values, f"age.{stream_name(stream.topic)}", _age(stream.time_ns, row, tick_ns))
        columns["success"] = Column("int64", about="of the whole episode: 1 yes, 0 no, -1 nobody said")
        values["success"] = np.full(len(tick_ns), -1 if span.success is None else int(span.success))
        columns["next.done"], values["next.done"] = (
            Column("bool", about="the episode's last row"),
            np.arange(len(tick_ns)) == len(tick_ns) - 1,
        )
        origin = {"bag": str(bag.source), "span": span.name, "start_ns": int(tick_ns[0]), "end_ns": int(tick_ns[-1])}
        yield Episode(f"{bag.source}, {span.name}", task, fps, columns, values, videos, origin)


def _camera(topic: str) -> str:
    return stream_name(topic.removesuffix("/image_raw").removesuffix("/image"))


def _ticks(bag: Bag, span: Span, series: list[Series], cameras: list[Stream], fps: int) -> Times:
    firsts = {one.name: one.time_ns for one in series if one.required} | {camera.topic: camera.time_ns for camera in cameras}
    start_ns = max([span.start_ns, *(int(times[0]) for times in firsts.values())])
    if start_ns > span.end_ns:
        late = max(firsts, key=lambda name: int(firsts[name][0]))
        raise DataError(
            f"{bag.source}, {span.name}: '{late}' has its first value {(start_ns - span.end_ns) * 1e-9:.3f} s after the end, so there is "
            "no row with a value of every stream. Leave this recording out."
        )
    start_ns = _commanded_from(series, start_ns, span.end_ns)
    count = (span.end_ns - start_ns) * fps // 1_000_000_000 + 1
    # Each tick is rounded by itself, so that they do not drift off the grid of 1 / fps.
    return start_ns + np.rint(np.arange(count) * (1e9 / fps)).astype(np.int64)


def _commanded_from(series: list[Series], start_ns: int, end_ns: int) -> int:
    """Return from when on there is an action to learn; the start as it was where there is none in the episode."""
    for one in series:
        for part in one.parts:
            if part.column == "action":
                whole_ns = one.time_ns[np.isfinite(part.values).all(axis=1)]
                before = int(np.searchsorted(one.time_ns, start_ns, side="right")) - 1
                if np.isfinite(part.values[before]).all():
                    return start_ns
                later = whole_ns[(whole_ns > start_ns) & (whole_ns <= end_ns)]
                return int(later[0]) if len(later) else start_ns
    return start_ns


def _rows(series: list[Series], tick_ns: Times) -> tuple[dict[str, Column], dict[str, Values]]:
    parts: dict[str, list[tuple[Part, Values]]] = {}
    columns: dict[str, Column] = {"time_ns": Column("int64", about="the tick, on the recording's clock")}
    values: dict[str, Values] = {"time_ns": tick_ns}
    ages = {}
    for one in series:
        row = np.searchsorted(one.time_ns, tick_ns, side="right") - 1
        ages[f"age.{one.name}"] = _age(one.time_ns, row, tick_ns)
        for part in one.parts:
            parts.setdefault(part.column, []).append((part, _taken(part, row)))
    for name, shared in parts.items():
        columns[name], values[name] = shared[0][0].describes, shared[0][1]
        if len(shared) > 1:
            names = tuple(n for part, _ in shared for n in part.describes.names or ())
            columns[name] = Column("float64", (len(names),), names, shared[0][0].describes.about)
            values[name] = joined([rows for _, rows in shared], len(tick_ns))
    for name, age_s in ages.items():
        _put(columns, values, name, age_s)
    return columns, values


def _taken(part: Part, row: NDArray[np.intp]) -> Values:
    if part.column in _EDGES:
        return np.diff(part.values[row], prepend=part.values[row[0]]) > 0
    if part.describes.dtype == "string":
        return np.where(row >= 0, part.values[row], "") if len(part.values) else np.full(len(row), "", dtype="U1")
    if not len(part.values):
        return np.full((len(row), *part.describes.shape), np.nan)
    taken = part.values[row]
    if (row < 0).any():
        taken = taken.copy()
        taken[row < 0] = np.nan
    return taken


def _age(time_ns: Times, row: NDArray[np.intp], tick_ns: Times) -> Values:
    if not len(time_ns):
        return np.full(len(tick_ns), np.nan)
    return np.where(row >= 0, (tick_ns - time_ns[row]) * 1e-9, np.nan)


def _put(columns: dict[str, Column], values: dict[str, Values], name: str, age_s: Values) -> None:
    columns[name], values[name] = Column("float64", about="s; NaN: there was none yet"), age_s
