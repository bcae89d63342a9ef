"""A replay's bag against its recording → what was felt, what was decided, what got lost. Times count from the recording's start."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tactus_cli.report.bag import Series, read
from tactus_core.errors import DataError
from tactus_core.geometry import from_pose7
from tactus_core.types import Array
from tactus_nodes import topics
from tactus_nodes.streams import STREAMS
from tactus_nodes.topics import Topic


@dataclass(frozen=True)
class Replayed:
    """The series of a replay by topic, in the recording's time; a topic that carried nothing is empty."""

    info: Any
    speed: float
    series: Mapping[Topic, Series]

    def __getitem__(self, topic: Topic) -> Series:
        return self.series.get(topic, Series(np.empty(0), []))


def read_replay(bag: Path, info: Any, speed: float) -> Replayed:
    """Return what the bag of a replay holds. info: `RecordingInfo` of what was played. Raises DataError."""
    wanted: dict[Topic, Callable[[Any], Any]] = {STREAMS[stream][0]: lambda message: None for stream in info.counts}
    wanted |= {
        topics.REPLAY: _status,
        topics.CONTACT: _status,
        topics.WRENCH_EVENTS: _status,
        topics.WRENCH_RAW: _force,
        topics.WRENCH: _force,
        topics.VERDICT: lambda message: (message.state, tuple(message.reasons)),
        topics.PROPOSAL: _proposed,
        topics.CHUNK: lambda message: message.sequence,
    }
    series = read(bag, wanted, by_arrival=(topics.VERDICT,))
    if topics.REPLAY not in series:
        raise DataError(f"{bag} holds no /replay/state: nothing was played while it was recorded. The logs beside it say why.")
    epoch_s = series[topics.REPLAY].t_s[-1]
    return Replayed(info, speed, {topic: replace(s, t_s=(s.t_s - epoch_s) * speed) for topic, s in series.items()})


def recorded_proposals(source: Path, info: Any) -> Series:
    """Return the proposals in the bag that was replayed, in the same time as those of the replay; none for another format."""
    if info.format != "bag":
        return Series(np.empty(0), [])
    folder = source if source.is_dir() else source.parent
    found = read(folder, {topics.PROPOSAL: _proposed}).get(topics.PROPOSAL)
    return replace(found, t_s=found.t_s - info.start_s) if found else Series(np.empty(0), [])


def summarise(replayed: Replayed) -> dict[str, Any]:
    """Return the report's figures: what was played and lost, the guard's verdicts, what the policy made of it."""
    info = replayed.info
    played, silence = (replayed[topics.VERDICT].cut(*span) for span in ((0.0, info.duration_s), (info.duration_s, np.inf)))
    streams = {}
    for stream, count in info.counts.items():
        received = len(replayed[STREAMS[stream][0]].t_s)
        streams[stream] = {"played": count, "recorded": received, "dropped": count - received}
    return {
        "format": info.format,
        "duration_s": round(info.duration_s, 3),
        "rate_Hz": round(info.rate_Hz, 3),
        "rate_source": info.rate_source,
        "notes": list(info.notes),
        "speed": replayed.speed,
        "streams": streams,
        "missing": _missing(info.counts),
        "guard": {
            "states": dict(Counter(state for state, _ in played.values)),
            "reasons": dict(Counter(reason for _, reasons in played.values for reason in reasons)),
            "after_the_end": [silence.values[-1][0], *silence.values[-1][1]] if len(silence.t_s) else [],
        },
        "policy": {"chunks": sum(1 for n in replayed[topics.CHUNK].values if n), "proposals": len(replayed[topics.PROPOSAL].t_s)},
    }


def _missing(streams: Mapping[str, int]) -> list[str]:
    """Return the streams that the policy needs and nobody can give; a wrench is made of a raw one."""
    given = {*streams, topics.WRENCH.name} if topics.WRENCH_RAW.name in streams else {*streams}
    needed = (topics.JOINT_STATES, topics.WRENCH, topics.TACTILE, topics.IMAGE)
    return [topic.name for topic in needed if topic.name not in given]


def compare(replayed: Series, recorded: Series) -> dict[str, Any]:
    """Return how far the replay's proposals are from those in the bag, where both answer the same touch sample."""
    rows = [(i, recorded.index(t_s)) for i, t_s in enumerate(replayed.t_s)] if len(recorded.t_s) else []
    same = [(i, j) for i, j in rows if abs(replayed.t_s[i] - recorded.t_s[j]) < 1e-3]
    if not same:
        return {"matched": 0}
    apart_mm = np.array([1e3 * np.linalg.norm(replayed.values[i][:3, 3] - recorded.values[j][:3, 3]) for i, j in same])
    p50, p95 = np.percentile(apart_mm, (50, 95))
    return {
        "matched": len(same),
        "apart_mm": {"p50": round(float(p50), 3), "p95": round(float(p95), 3), "max": round(float(apart_mm.max()), 3)},
    }


def _status(message: Any) -> tuple[str, dict[str, Any]]:
    status = message.status[0]
    return status.message, {pair.key: json.loads(pair.value) for pair in status.values}


def _force(message: Any) -> Array:
    force = message.wrench.force
    return np.array([force.x, force.y, force.z])


def _proposed(message: Any) -> Array:
    p, q = message.tcp_target.position, message.tcp_target.orientation
    return from_pose7(np.array([p.x, p.y, p.z, q.x, q.y, q.z, q.w]))
