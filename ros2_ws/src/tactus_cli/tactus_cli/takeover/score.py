"""How fast a human has the robot, how smoothly control changes hands, and whether the record holds what the device received."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tactus_cli.faults.limits import Limits, Motion, check, motion
from tactus_cli.faults.observation import Observation, Sample
from tactus_cli.faults.score import verdicts_of, verified
from tactus_cli.takeover.record import Told
from tactus_core.types import Array

# Around the tick at which control changes hands: what is commanded then counts as the edge.
_EDGE_S = (-0.01, 0.25)
_ANSWERED_S = 1.0


def score(
    told: Sequence[Told], arm: Sequence[Sample], hand: Sequence[Sample], pushed_s: Sequence[float], epoch_s: float, limits: Limits
) -> dict[str, Any]:
    """Return the report. arm, hand: what reached the device. pushed_s: when the input was pushed. All times are of one steady clock.

    epoch_s: what a stamp is more than that clock.
    """
    # Where the robot was measured is not judged here.
    seen = Observation((), (), decisions=list(told), arm=list(arm), hand=list(hand))
    sent, _ = verified(seen, lambda q: np.eye(4))
    found = {"arm": verdicts_of(arm, told, "arm"), "hand": verdicts_of(hand, told, "hand")}
    moved = motion(sent)
    edges_s = [verdict.at_s for verdict in told if verdict.onset or verdict.offset]
    return {
        **_latency(told, arm, found["arm"], pushed_s, epoch_s),
        **_edges(moved, edges_s, limits),
        "limits_broken": by_limit([v for v in check(sent, moved, limits) if _near(np.array([v.at_s]), edges_s)[0]]),
        "frames_lost": _frames_lost(told, {"arm": arm, "hand": hand}, found),
        "executed_against_received": {part: _whole(told, rows, found[part], part) for part, rows in (("arm", arm), ("hand", hand))},
        "given_back_to_policy_ms": quantiles(_returns_ms(told)),
    }


def quantiles(values: Sequence[float]) -> dict[str, float | None]:
    """Return p50, p99 and max, rounded; None where there is no value."""
    if not len(values):
        return {"p50": None, "p99": None, "max": None}
    p50, p99 = np.percentile(values, (50, 99))
    return {"p50": round(float(p50), 3), "p99": round(float(p99), 3), "max": round(float(np.max(values)), 3)}


def _latency(
    told: Sequence[Told], arm: Sequence[Sample], found: Sequence[int | None], pushed_s: Sequence[float], epoch_s: float
) -> dict[str, Any]:
    """From each push to the first command of the human's at the device, and where the time went."""
    human = [(sample.at_s, told[i]) for sample, i in zip(arm, found, strict=True) if i is not None and told[i].source == "human"]
    at_s = np.array([row[0] for row in human])
    rows = []
    for push_s in pushed_s:
        first = int(np.searchsorted(at_s, push_s))
        if first < len(human) and at_s[first] - push_s < _ANSWERED_S:
            verdict = human[first][1]
            read_s = verdict.stamp[0] + verdict.stamp[1] * 1e-9 - epoch_s
            rows.append((at_s[first] - push_s, read_s - push_s, verdict.at_s - read_s, at_s[first] - verdict.at_s))
    ms = np.array(rows).reshape(-1, 4) * 1e3
    names = ("push to reading", "reading to verdict", "verdict to device")
    return {
        "takeovers": len(pushed_s),
        "unanswered": len(pushed_s) - len(rows),
        "input_to_command_ms": quantiles(ms[:, 0]),
        "hops_ms": {name: quantiles(ms[:, i]) for i, name in enumerate(names, start=1)},
    }


def _edges(moved: Motion, edges_s: Sequence[float], limits: Limits) -> dict[str, Any]:
    near = _near(moved.made_s, edges_s)
    steps = np.full(len(moved.made_s), np.nan)
    # The change of speed from one step to the next, of which the acceleration is made.
    steps[2:] = moved.tcp[2:, 1] * 0.5 * (moved.made_s[2:] - moved.made_s[:-2])
    return {
        "edges": len(edges_s),
        "edge_velocity_step_max_m_s": _largest(steps[near]),
        "edge_acceleration_max_m_s2": _largest(moved.tcp[near, 1]),
        "edge_jerk_max": _largest(moved.tcp[near, 2]),
        "jerk_limit": limits.tcp[2],
        "acceleration_limit_m_s2": limits.tcp[1],
    }


def _near(times_s: Array, edges_s: Sequence[float]) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    near = np.zeros(len(times_s), bool)
    for edge_s in edges_s:
        near |= (times_s >= edge_s + _EDGE_S[0]) & (times_s <= edge_s + _EDGE_S[1])
    return near


def _largest(values: Array) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(known.max()), 4) if len(known) else None


def by_limit(violations: Sequence[Any]) -> dict[str, int]:
    """Count violations by the name of the limit that they broke."""
    names = [violation.limit for violation in violations]
    return {name: names.count(name) for name in sorted(set(names))}


def _frames_lost(told: Sequence[Told], rows: Mapping[str, Sequence[Sample]], found: Mapping[str, Sequence[int | None]]) -> int:
    """Return how many ticks of corrections the bag lacks, and how many commands of one that the device received and no verdict tells."""
    gaps = sum(after.tick - before.tick - 1 for before, after in itertools.pairwise(told) if before.intervention or after.intervention)
    spans = [verdict.at_s for verdict in told if verdict.intervention]
    human_s = np.array(spans)

    def during(at_s: float) -> bool:
        place = int(np.searchsorted(human_s, at_s))
        return 0 < place < len(human_s) and bool(human_s[place] - human_s[place - 1] < 0.1)

    unknown = sum(i is None and during(row.at_s) for part in rows for row, i in zip(rows[part], found[part], strict=True))
    return gaps + unknown


def _whole(told: Sequence[Told], rows: Sequence[Sample], found: Sequence[int | None], part: str) -> dict[str, int]:
    """Count what reached the device, what of that the bag lacks, and what of the bag never reached it, from first to last match."""
    matched = [i for i in found if i is not None]
    if not matched:
        return {"received": len(rows), "not_in_the_bag": len(rows), "not_at_the_device": 0}
    first, last = found.index(matched[0]), len(found) - 1 - list(reversed(found)).index(matched[-1])
    sent = [i for i in range(matched[0], matched[-1] + 1) if getattr(told[i], part) is not None]
    return {
        "received": len(rows),
        "not_in_the_bag": sum(i is None for i in found[first : last + 1]),
        "not_at_the_device": len(set(sent) - set(matched)),
    }


def _returns_ms(told: Sequence[Told]) -> list[float]:
    """Return how long it took each time from control given back to the policy moving the robot again."""
    out: list[float] = []
    since_s: float | None = None
    for verdict in told:
        if verdict.intervention:
            since_s = None
        if verdict.offset:
            since_s = verdict.at_s
        if since_s is not None and verdict.source == "policy" and verdict.state == "running":
            out.append((verdict.at_s - since_s) * 1e3)
            since_s = None
    return out
