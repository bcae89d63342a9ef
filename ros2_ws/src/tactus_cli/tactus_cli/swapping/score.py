"""Whether ticks were missed, late, or out of limits while weights were loaded and swapped: by the bag and by the device's own log."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tactus_cli.faults.limits import Limits, check, motion
from tactus_cli.faults.observation import Observation, in_order
from tactus_cli.faults.score import verified
from tactus_cli.report.bag import Series, read
from tactus_cli.takeover.record import commands, measured, tell
from tactus_cli.takeover.score import by_limit, quantiles
from tactus_core.guard.config import GuardConfig
from tactus_core.kinematics import Kinematics
from tactus_core.types import Array, RobotDescription
from tactus_nodes import topics

Span = tuple[float, float]  # from, to [s] of the wall clock, as the recorder's times are
Stamp = tuple[int, int]
_TICK_S = 0.005
# Two ticks: whoever comes later than this has missed one.
_MISSED_MS = 2e3 * _TICK_S


def score(
    bag: Path, log: Path, spans: Mapping[str, Sequence[Span]], stalls: Sequence[Span] | None, robot: RobotDescription
) -> dict[str, Any]:
    """Return the report. spans: when nothing was going on (`without`), when a swap was `under way`, and the `episodes`.

    stalls: when the machine ran nobody on a core; None: not known.
    """
    found = read(
        bag,
        {
            topics.TACTILE: _stamp,
            topics.PROPOSAL: _stamp,
            topics.VERDICT: lambda verdict: (_stamp(verdict), verdict),
            topics.OUTCOME: _stamp,
            topics.JOINT_STATES: lambda joints: in_order(joints, tuple(robot.arm_joints)),
        },
        (topics.TACTILE, topics.PROPOSAL, topics.VERDICT, topics.OUTCOME),
    )
    touches, verdicts = found[topics.TACTILE], found[topics.VERDICT]
    outcomes_s = found[topics.OUTCOME].t_s if topics.OUTCOME in found else np.empty(0)
    # What the recorder lost of the proposals, the verdicts tell all the same.
    answered = {*found[topics.PROPOSAL].values, *(stamp for stamp, _ in verdicts.values)}
    arm, hand = commands(log)
    kinematics = Kinematics(robot)
    where = measured(found[topics.JOINT_STATES], Series(verdicts.t_s, [verdict.steady_s for _, verdict in verdicts.values]))
    told = [tell(verdict) for _, verdict in verdicts.values]
    sent, _ = verified(Observation((), (), decisions=list(told), arm=arm, hand=hand, measured=where), kinematics.tcp_pose)
    limits = Limits.of(GuardConfig(), np.array([kinematics.hand_low_rad, kinematics.hand_high_rad]))
    return {
        "without": ticks(touches, answered, verdicts, spans["without"], stalls) | held(verdicts, spans["without"], outcomes_s),
        "under_way": ticks(touches, answered, verdicts, spans["under way"], stalls) | held(verdicts, spans["under way"], outcomes_s),
        "episodes_of_two_versions": sum(len(_acting(verdicts, until_outcome(span, outcomes_s))) > 1 for span in spans["episodes"]),
        "commands": len(sent),
        "limits_broken": by_limit(check(sent, motion(sent), limits)),
    }


def ticks(
    touches: Series, answered: set[Stamp], verdicts: Series, spans: Sequence[Span], stalls: Sequence[Span] | None = None
) -> dict[str, Any]:
    """Return what became of the touch samples within `spans`: each is a tick of the fast policy, which answers it.

    stalls: how often the machine stood still within `spans`; missed_in_stalls: of those missed, where it did in that tick or the one
    before; None: not known.
    """
    felt = [stamp for span in spans for stamp in _within(touches, span)]
    gaps = [np.diff([verdict.steady_s for _, verdict in _within(verdicts, span) if verdict.source == "policy"]) * 1e3 for span in spans]
    missed = [stamp for stamp in felt if stamp not in answered]
    interval_ms = np.concatenate([np.empty(0), *gaps])
    return {
        "seconds": round(sum(end_s - began_s for began_s, end_s in spans), 1),
        "ticks": len(felt),
        "missed": len(missed),
        "stalls": None if stalls is None else sum(began_s <= at_s < end_s for at_s, _ in stalls for began_s, end_s in spans),
        "missed_in_stalls": None if stalls is None else sum(_stood_still(stamp, stalls) for stamp in missed),
        "interval_ms": quantiles(interval_ms.tolist()),
        "intervals_over_10_ms": int((interval_ms > _MISSED_MS).sum()),
    }


def held(verdicts: Series, spans: Sequence[Span], outcomes_s: Array) -> dict[str, Any]:
    """Return in how many ticks within `spans` nothing of the policy was done, since no plan was left, and for how long at most.

    Spans begin while the policy moves the robot; what comes after an episode's outcome does not count.
    """
    count, longest_s = 0, 0.0
    for span in spans:
        inside = [verdict for _, verdict in _within(verdicts, until_outcome(span, outcomes_s))]
        count += sum(verdict.source != "policy" for verdict in inside)
        moved_s = [verdict.steady_s for i, verdict in enumerate(inside) if verdict.source == "policy" or i == len(inside) - 1]
        longest_s = max([longest_s, *np.diff(moved_s)])
    return {"held": count, "longest_held_s": round(longest_s, 3)}


def _stood_still(stamp: Stamp, stalls: Sequence[Span]) -> bool:
    felt_s = stamp[0] + 1e-9 * stamp[1]
    return any(began_s < felt_s + _TICK_S and felt_s - _TICK_S < end_s for began_s, end_s in stalls)


def until_outcome(span: Span, outcomes_s: Array) -> Span:
    """Return what of an episode lies before it came to an outcome: other weights may act from there on."""
    began_s, end_s = span
    return began_s, min([end_s, *(at_s for at_s in outcomes_s if at_s >= began_s)])


def _acting(verdicts: Series, span: Span) -> set[str]:
    return {verdict.bundle_hash for _, verdict in _within(verdicts, span) if verdict.source == "policy" and verdict.bundle_hash}


def _within(series: Series, span: Span) -> Sequence[Any]:
    first, end = np.searchsorted(series.t_s, span)
    return series.values[first:end]


def _stamp(message: Any) -> Stamp:
    return message.header.stamp.sec, message.header.stamp.nanosec
