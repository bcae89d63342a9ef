"""Hours in minutes: the demo's graph run for long, its memory, its deadlines and its scheduling watched from outside."""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tactus_core.errors import DataError
from tactus_core.types import Outcome
from tactus_msgs.msg import Heartbeat
from tactus_nodes import topics
from tactus_nodes.client import GraphSession
from tactus_nodes.timing import HISTOGRAM_BIN_MS

WARM_UP_S = 180.0
GROWTH_SHARE = 0.05
# Which series of which node are kept: how late its own ticks come, and what they cost.
_SERIES = {
    "sim_device tick lateness": ("sim_device", "tick_lateness_ms"),
    "guard tick lateness": ("guard", "tick_lateness_ms"),
    "of it beyond its own work": ("guard", "wake_lateness_ms"),
    "guard work": ("guard", "guard_work_ms"),
    "fast policy work": ("fast_policy", "fast_policy_work_ms"),
    "touch to command": ("sim_device", "touch_to_command_ms"),
}
_PAGE_BYTES = 4096
_HEARING_S = 1.0  # ten heartbeats: who lives was heard
_HEARD_S = 10.0


@dataclass(frozen=True)
class Sample:
    """What was seen at one time, since the last: [s] since the start. rss_MB: per node. timing: what the nodes said of themselves."""

    at_s: float
    rss_MB: Mapping[str, float]
    timing: Mapping[str, Mapping[str, Any]]
    lost: Mapping[str, int]


@dataclass
class Soak:
    """Runs episodes, one after the other, until the time is over; after each one it takes a sample."""

    session: GraphSession
    samples: list[Sample] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def run(self, seed: int, seconds: float, told: Callable[[float, int], None]) -> None:
        """told: called after each episode with the time passed and how many there were. Raises DeviceError where the graph fails."""
        lost: dict[str, int] = {}
        self.session.listen(topics.HEARTBEAT.deeper(100), lambda message: _note_lost(lost, message))
        reported, listens_s = {node for node, _ in _SERIES.values()}, time.monotonic()
        self.session.wait_for(
            lambda: reported <= set(self.session.alive) and time.monotonic() - listens_s > _HEARING_S, _HEARD_S, "a heartbeat of each node"
        )
        nodes = sorted(self.session.alive)
        self.session.timing(nodes)  # what was before does not count
        began_s = time.monotonic()
        for number in itertools.count(seed):
            self.outcomes.append(self.session.run_episode(number))
            timing = self.session.timing(nodes)
            at_s = time.monotonic() - began_s
            rss_MB = {name: rss_bytes(timing[name]["pid"]) / 1e6 for name in nodes}
            self.samples.append(Sample(at_s, rss_MB, timing, dict(lost)))
            told(at_s, len(self.outcomes))
            if at_s >= seconds:
                return


def _note_lost(lost: dict[str, int], message: Heartbeat) -> None:
    lost[message.node] = message.lost


def rss_bytes(pid: int) -> int:
    """Return the memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES


def report(samples: Sequence[Sample], outcomes: Sequence[Outcome], machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stable keys of `soak --json`.

    memory_MB: per node, at the end of the warm-up and at the end, by a straight line through what lies between. deadlines: misses by cause.
    machine: what it gave to a bare timer beside the graph (`tactus_cli.machine`), and which share of its time its host took.
    Raises DataError where there are no samples.
    """
    if not samples:
        raise DataError("no episode has ended, so there is nothing to report; expected at least one. Run it for longer.")
    last = samples[-1]
    counts = {key: sum(s.timing["sim_device"]["counts"][key] for s in samples) for key in ("ticks", "missed", "unanswered")}
    memory = {name: growth([s.at_s for s in samples], [s.rss_MB[name] for s in samples]) for name in last.rss_MB}
    return {
        "seconds": round(last.at_s, 1),
        "episodes": len(outcomes),
        "successes": sum(outcome.success for outcome in outcomes),
        "memory_MB": memory,
        "grows": sorted(name for name, row in memory.items() if abs(row["growth_percent"]) > 100 * GROWTH_SHARE),
        "timing_ms": {
            title: quantiles([s.timing[node]["timing"].get(name, {}) for s in samples]) for title, (node, name) in _SERIES.items()
        },
        "deadlines": {
            "ticks": counts["ticks"],
            "ticks missed by the device": counts["missed"],
            "touches unanswered in time": counts["unanswered"],
            "inputs lost by node": {name: count for name, count in sorted(last.lost.items()) if count},
        },
        "machine": dict(machine),
        "realtime": {name: bool(row["realtime"]) for name, row in last.timing.items()},
    }


def growth(at_s: Sequence[float], rss_MB: Sequence[float]) -> dict[str, float]:
    """Return memory at the end of the warm-up and at the end, and how much it grew, by least squares.

    A run that is shorter than twice the warm-up is judged from its middle on.
    """
    times, values = np.array(at_s), np.array(rss_MB)
    from_s = min(WARM_UP_S, 0.5 * times[-1])
    kept = times >= from_s
    if kept.sum() < 2:
        return {"start": float(values[0]), "end": float(values[-1]), "growth_percent": 0.0}
    slope, offset = np.polyfit(times[kept], values[kept], 1)
    start, end = (float(offset + slope * t) for t in (times[kept][0], times[-1]))
    return {"start": round(start, 2), "end": round(end, 2), "growth_percent": round(100.0 * (end / start - 1.0), 3)}


def quantiles(summaries: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Return p50, p99 (upper ends of histogram bins) and the maximum over many summaries of one series."""
    filled = [summary for summary in summaries if summary.get("count")]
    if not filled:
        return {"p50": None, "p99": None, "max": None}
    total = np.cumsum(np.sum([summary["histogram"] for summary in filled], axis=0))
    bins = [int(np.searchsorted(total, share * total[-1])) + 1 for share in (0.50, 0.99)]
    p50, p99 = (round(count * HISTOGRAM_BIN_MS, 3) for count in bins)
    return {"p50": p50, "p99": p99, "max": round(max(summary["max"] for summary in filled), 3)}
