"""Validates recordings and data sets: gaps, jumps, mis-timed frames and wrong lengths, by episode, column and time."""

from collections.abc import Iterator

import numpy as np

from tactus_core.datasets.bag import CHUNK, MARK, OUTCOME, PROPOSAL, VERDICT, WORLD, Bag, Stream
from tactus_core.datasets.episode import Values
from tactus_core.datasets.findings import Finding, Place, irregular, leaps
from tactus_core.datasets.lerobot import Entry, LeRobotData, VideoPart
from tactus_core.datasets.spans import Span, spans
from tactus_core.datasets.video import VideoFile
from tactus_core.errors import DataError

MAX_AGE_S = 0.25
_TIME_TOLERANCE_S = 1e-4  # LeRobot's own
_TICK_TOLERANCE_S = 1e-3
_CLOCK_LAG_S = (-0.05, 1.0)
_NO_RATE = (PROPOSAL, CHUNK, MARK, WORLD, OUTCOME)


def check_bag(bag: Bag) -> Iterator[Finding]:
    """Yield what is wrong with the streams of a bag during its episodes, and what its recorder says that it lost."""
    for topic, count in bag.dropped.items():
        yield Place(str(bag.source), topic).finding("lost", np.nan, f"the recorder dropped {count} messages of it")
    if VERDICT in bag.streams:
        yield from _check_ticks(Place(str(bag.source), VERDICT), bag.streams[VERDICT])
    for span in spans(bag):
        for stream in bag.streams.values():
            if stream.topic not in _NO_RATE:
                yield from _check_stream(Place(f"{bag.source}, {span.name}", stream.topic), stream, span)


def check_data(data: LeRobotData) -> Iterator[Finding]:
    """Yield what is wrong with a LeRobot data set, episode by episode."""
    whole = Place(str(data.folder), "meta/info.json")
    rows = sum(entry.rows for entry in data.entries)
    for name, got in (("total_episodes", len(data.entries)), ("total_frames", rows)):
        if data.info[name] != got:
            yield whole.finding("length", np.nan, f"'{name}' is {data.info[name]}, and the episodes have {got}")
    index = 0
    for number, entry in enumerate(data.entries):
        if entry.number != number:
            yield whole.finding("length", np.nan, f"episode {number} is missing: the next is {entry.number}")
        yield from check_episode(data, entry, index)
        index += entry.rows


def check_episode(data: LeRobotData, entry: Entry, index: int) -> Iterator[Finding]:
    """Yield what is wrong with one episode, which should begin with row `index` of the data set."""
    name = f"episode {entry.number}"
    try:
        table = data.table(entry)
    except DataError as error:
        yield Place(name, "data").finding("file", np.nan, str(error))
        return
    wrong = {column: len(values) for column, values in table.items() if len(values) != entry.rows}
    for column, got in wrong.items():
        yield Place(name, column).finding("length", np.nan, f"{got} rows, expected {entry.rows}")
    if not wrong:
        yield from _check_own(name, data, entry, table, index)
        for column, values in table.items():
            yield from _check_values(Place(name, column), values, data.fps)
    for camera, video in entry.videos.items():
        yield from _check_video(Place(name, camera), video, data.fps)


def _check_ticks(place: Place, verdicts: Stream) -> Iterator[Finding]:
    """Yield a finding where the guard decided more often than was recorded; where its count begins anew, so did the guard."""
    steps = np.diff([verdict.tick for verdict in verdicts.values])
    if (steps > 1).any():
        yield place.finding(
            "lost", np.nan, f"{int((steps[steps > 1] - 1).sum())} of the guard's ticks are missing, in {(steps > 1).sum()} places"
        )


def _check_stream(place: Place, stream: Stream, span: Span) -> Iterator[Finding]:
    inside = (stream.time_ns >= span.start_ns) & (stream.time_ns <= span.end_ns)
    times_s = (stream.time_ns[inside] - span.start_ns) * 1e-9
    if len(times_s) < 3:
        yield place.finding("gap", 0.0, f"{len(times_s)} values in {(span.end_ns - span.start_ns) * 1e-9:.2f} s")
        return
    step_s = np.diff(times_s, append=(span.end_ns - span.start_ns) * 1e-9)
    usual_s = float(np.median(step_s))
    gaps = np.flatnonzero(step_s > max(3.5 * usual_s, 0.02))
    if len(gaps):
        longest = int(gaps[np.argmax(step_s[gaps])])
        what = f"{step_s[longest]:.3f} s without a value, usually {usual_s:.4f} s; the longest of {len(gaps)}"
        yield place.finding("gap", float(times_s[longest]), what)
    back = stream.backwards[(stream.backwards >= span.start_ns) & (stream.backwards <= span.end_ns)]
    if len(back):
        yield place.finding("jump", float(back[0] - span.start_ns) * 1e-9, f"{len(back)} messages older than the one before; left out")
    lag_s = float(np.median(stream.arrival_ns[inside] - stream.time_ns[inside])) * 1e-9
    if not _CLOCK_LAG_S[0] <= lag_s <= _CLOCK_LAG_S[1]:
        yield place.finding("timing", 0.0, f"stamps are {lag_s:.3f} s before arrival: is its clock that of the recorder?")


def _check_own(name: str, data: LeRobotData, entry: Entry, table: dict[str, Values], index: int) -> Iterator[Finding]:
    times_s = table["timestamp"].astype(np.float64)
    place = Place(name, "timestamp")
    # float32, as LeRobot keeps them: the longer the episode, the coarser.
    tolerance_s = _TIME_TOLERANCE_S + 2 * float(np.spacing(np.float32(times_s.max(initial=0.0))))
    yield from irregular(place, times_s, 1.0 / data.fps, tolerance_s)
    if len(times_s) and abs(times_s[0]) > tolerance_s:
        yield place.finding("timing", float(times_s[0]), "the first time is not 0")
    if "time_ns" in table:
        true_s = (table["time_ns"] - table["time_ns"][:1]) * 1e-9
        off = np.flatnonzero(np.abs(true_s - times_s) > _TICK_TOLERANCE_S)
        if len(off):
            what = f"{len(off)} rows are not where 'timestamp' has them, by up to {np.abs(true_s - times_s).max():.4f} s"
            yield Place(name, "time_ns").finding("timing", float(times_s[off[0]]), what)
    rows = np.arange(entry.rows)
    expected = {"frame_index": rows, "index": rows + index, "episode_index": np.full(entry.rows, entry.number)}
    for column, values in expected.items():
        off = np.flatnonzero(table[column] != values)
        if len(off):
            what = f"row {off[0]} is {table[column][off[0]]}, expected {values[off[0]]}; {len(off)} rows are wrong"
            yield Place(name, column).finding("length", float(off[0]) / data.fps, what)


def _check_values(place: Place, values: Values, fps: int) -> Iterator[Finding]:
    if values.dtype.kind != "f" or not len(values):
        return
    if place.column.startswith("age."):
        if not place.column.startswith("age.proposal."):
            yield from _check_age(place, values, fps)
        return
    if not place.column.startswith(("observation.", "action")):
        return
    unknown = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
    if len(unknown):
        yield place.finding(
            "value", float(unknown[0]) / fps, f"{len(unknown)} rows are not finite numbers: nothing was known, or commanded"
        )
    elif place.column == "observation.state":
        yield from leaps(place, values.reshape(len(values), -1).astype(np.float64), fps)


def _check_age(place: Place, age_s: Values, fps: int) -> Iterator[Finding]:
    old = np.flatnonzero(age_s > MAX_AGE_S)
    if len(old):
        what = f"{len(old)} rows repeat a value older than {MAX_AGE_S} s; the oldest is {np.nanmax(age_s):.3f} s old"
        yield place.finding("gap", float(old[0]) / fps, what)


def _check_video(place: Place, video: VideoPart, fps: int) -> Iterator[Finding]:
    try:
        found = VideoFile.probe(video.path)
    except DataError as error:
        yield place.finding("file", np.nan, str(error))
        return
    if (found.height, found.width) != (video.height, video.width):
        what = f"pictures are {found.height}×{found.width}, expected {video.height}×{video.width}"
        yield place.finding("length", np.nan, what)
    times_s = found.times_s - video.first_s
    frame_s = 1.0 / fps
    times_s = times_s[(times_s > -0.5 * frame_s) & (times_s < (video.rows - 0.5) * frame_s)]
    expected = video.rows
    if video.whole_file is not None:
        times_s = found.times_s
    if len(times_s) != expected:
        yield place.finding("length", np.nan, f"{len(times_s)} pictures, expected {expected}")
    if len(times_s):
        if abs(times_s[0]) > _TICK_TOLERANCE_S:
            yield place.finding("timing", float(times_s[0]), "the first picture is not shown at the first row")
        yield from irregular(place, times_s, frame_s, _TICK_TOLERANCE_S)
