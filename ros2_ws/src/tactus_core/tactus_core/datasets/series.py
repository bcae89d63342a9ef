"""What a bag's streams become: series of stamped values by column, before they are put on a grid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tactus_core.datasets import messages
from tactus_core.datasets.bag import JOINTS, MARK, PROPOSAL, TACTILE, VERDICT, WRENCHES, Bag, Stream, Times
from tactus_core.datasets.episode import POSE_NAMES, Column, Values
from tactus_core.errors import DataError

_WRENCH_NAMES = ("fx", "fy", "fz", "tx", "ty", "tz")
SOURCES = ("policy", "human")


@dataclass(frozen=True)
class Part:
    """Values (n, *shape) for a column, or for some of its places where several streams share it (joints of arm and hand)."""

    column: str
    values: Values
    describes: Column


@dataclass(frozen=True)
class Series:
    """What one stream adds to the rows. name: as in `age.<name>`. required: an episode begins when there is a first value of it."""

    name: str
    time_ns: Times
    parts: tuple[Part, ...]
    required: bool = True


def series_of(bag: Bag) -> list[Series]:
    """Return the series of all streams of a bag but its images. Raises DataError where joints change from message to message."""
    try:
        return _series_of(bag)
    except AttributeError as error:
        raise DataError(f"{bag.source}: {error}: its messages are of another version of Tactus. Convert it with that one.") from None


def _series_of(bag: Bag) -> list[Series]:
    streams = bag.streams
    found = [_joints(bag, streams[topic]) for topic in JOINTS if topic in streams]
    found += [_plain(streams[topic], _WRENCH_NAMES, "N and Nm in the tcp frame, on the tool") for topic in WRENCHES if topic in streams]
    if TACTILE in streams:
        found.append(_plain(streams[TACTILE], None, "(fingers, taxels, x y z fx fy fz), m and N in the fingertips' frames"))
    if VERDICT in streams:
        layout = _Layout.of(bag)
        found.append(_verdict(streams[VERDICT], streams.get(MARK), layout))
        if PROPOSAL in streams:
            found += [_proposals(streams[PROPOSAL], source, layout) for source in SOURCES]
    return found


def stream_name(topic: str) -> str:
    """Return a topic as it stands in a column's name."""
    return topic.strip("/").replace("/", "_")


def _joints(bag: Bag, stream: Stream) -> Series:
    names = tuple(stream.values[0].name)
    parts = []
    for field, column, unit in (
        ("position", "state", "rad or m"),
        ("velocity", "velocity", "rad/s or m/s"),
        ("effort", "effort", "Nm or N"),
    ):
        try:
            rows = [messages.joint_values(message, names, field) for message in stream.values]
        except ValueError as error:
            raise DataError(f"{bag.source}, {stream.topic}: {error}. Record one device per topic.") from None
        if all(row is not None for row in rows):
            parts.append(Part(f"observation.{column}", np.stack(rows), Column("float64", (len(names),), names, unit)))  # type: ignore[arg-type]
    return Series(stream_name(stream.topic), stream.time_ns, tuple(parts))


def _plain(stream: Stream, names: tuple[str, ...] | None, about: str) -> Series:
    name = stream_name(stream.topic)
    column = Column(str(stream.values.dtype), stream.values.shape[1:], names, about)
    return Series(
        name, stream.time_ns, (Part("observation.taxels" if name == "tactile" else f"observation.{name}", stream.values, column),)
    )


@dataclass(frozen=True)
class _Layout:
    """What a command is made of: the arm by its joints, else by the pose of its tcp; then the hand's joints."""

    arm: tuple[str, ...]
    hand: tuple[str, ...]

    @classmethod
    def of(cls, bag: Bag) -> "_Layout":
        verdicts = bag.streams[VERDICT].values
        return cls(_names(bag, "arm", verdicts), _names(bag, "hand", verdicts))

    @property
    def column(self) -> Column:
        names = (self.arm or POSE_NAMES) + self.hand
        return Column("float64", (len(names),), names, "targets: rad, or m and a quaternion in the base frame; NaN: nothing")

    def row(self, pose: Any, arm_rad: Sequence[float], hand_rad: Sequence[float]) -> list[float]:
        arm = _or_nan(arm_rad, self.arm) if self.arm else messages.pose(pose)
        return [*arm, *_or_nan(hand_rad, self.hand)]


def _names(bag: Bag, group: str, verdicts: Sequence[Any]) -> tuple[str, ...]:
    """Return the names of the joints that a group is commanded by; () where it is not commanded by joints."""
    width = max(len(getattr(verdict, f"{group}_executed_rad")) for verdict in verdicts)
    command = bag.first(f"/{group}/joint_cmd")
    if width and command is not None and len(command.name) == width:
        return tuple(command.name)
    return tuple(f"{group}_{i}" for i in range(width))


def _or_nan(values: Sequence[float], names: tuple[str, ...]) -> Sequence[float]:
    return values if len(values) == len(names) else [np.nan] * len(names)


def _verdict(stream: Stream, marks: Stream | None, layout: _Layout) -> Series:
    verdicts = stream.values

    def text(value: Callable[[Any], str], about: str, name: str) -> Part:
        return Part(name, np.array([value(verdict) for verdict in verdicts]), Column("string", about=about))

    action = np.array([layout.row(v.executed, v.arm_executed_rad, v.hand_executed_rad) for v in verdicts])
    human = np.array([verdict.intervention for verdict in verdicts])
    ages_s = np.array([[v.joints_age_s, v.wrench_age_s, v.touch_age_s, v.proposal_age_s] for v in verdicts], np.float64)
    notes = [0] if marks is None else np.append(0, np.cumsum([mark.kind == "note" for mark in marks.values]))
    noted = np.asarray(notes)[0 if marks is None else marks.newest(stream.time_ns) + 1] * np.ones(len(verdicts), np.int64)
    edges = np.diff(human.astype(np.int64), prepend=int(human[0]))
    parts = (
        Part("action", action, layout.column),
        text(lambda v: v.state, "running, slowing, holding, stopped", "guard.state"),
        text(lambda v: ",".join(v.reasons), "why executed and proposed differ, separated by commas", "guard.reasons"),
        text(lambda v: v.source, "who had control", "source"),
        text(lambda v: v.bundle, "name and version of the policy that had control", "guard.bundle"),
        text(lambda v: v.bundle_hash, "sha256 of its card, which has those of its files", "guard.bundle_hash"),
        Part("guard.age", ages_s, Column("float64", (4,), ("joints", "wrench", "touch", "proposal"), "s, as the guard saw it; NaN: none")),
        Part("mark", noted, Column("bool", about="somebody marked a moment since the row before")),
        Part("intervention", human, Column("bool", about="a human had control, also one who had fallen silent")),
        # Counts since the bag's start: a row gets what was added since the row before it, so that no edge falls between two rows.
        Part("intervention_onset", np.cumsum(edges > 0), Column("bool", about="a human took control since the row before")),
        Part("intervention_offset", np.cumsum(edges < 0), Column("bool", about="a human gave control back since the row before")),
    )
    return Series("verdict", stream.time_ns, parts)


def _proposals(stream: Stream, source: str, layout: _Layout) -> Series:
    chosen = [i for i, proposal in enumerate(stream.values) if proposal.source == source]
    nothing = np.full(layout.column.shape, np.nan)
    rows, bundles, hashes = np.empty((len(chosen), *layout.column.shape)), [], []
    for row, i in zip(rows, chosen, strict=True):
        proposal = stream.values[i]
        bundles.append(proposal.bundle)
        hashes.append(proposal.bundle_hash)
        released = bool(proposal.release)
        row[:] = nothing if released else layout.row(proposal.tcp_target, proposal.arm_target_rad, proposal.hand_target_rad)
    parts = [Part(f"proposal.{source}", rows, layout.column)]
    if source == "policy":
        for name, values, about in (
            ("bundle", bundles, "name and version of the policy that proposed"),
            ("bundle_hash", hashes, "sha256 of its card, which has those of its files"),
        ):
            parts.append(Part(name, np.array(values, dtype=np.str_), Column("string", about=about)))
    return Series(f"proposal.{source}", stream.time_ns[chosen], tuple(parts), required=False)
