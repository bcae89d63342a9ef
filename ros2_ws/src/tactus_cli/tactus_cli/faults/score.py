"""How an injected fault was answered: time to a safe command, time to rest, resumption, limits, force."""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tactus_cli.faults.limits import STALL_S, Command, Limits, Motion, Violation, check, motion
from tactus_cli.faults.observation import RUNNING, Decision, Observation, Sample
from tactus_core.types import Array

REST_M_S = 0.005
# The guard may go by what it knew of the robot a declared age ago, or by what the tap noted a moment later.
_KNOWN_S = (0.055, 0.002)
# The robot was pushed: its target is drawn along at once, because that is what bounds the force.
_PUSHED = "pushed"


@dataclass(frozen=True)
class Span:
    """When a fault took effect, was due to have ended motion, was lifted; when motion was allowed again, and watching ended [s].

    due_s: until then the data that are left are as young as the contract wants them. allowed_s: `inf` where not at all.
    """

    fault_s: float
    due_s: float
    lifted_s: float
    allowed_s: float
    end_s: float


@dataclass(frozen=True)
class Score:
    """One trial. time_to_safe_s: None where it did not become safe. time_to_rest_s: None where it did not come to rest.

    rested: whether motion ended while the fault lasted. violations: what broke which limit, the worst of each first.
    unverified: commands of which no verdict speaks.
    """

    time_to_safe_s: float | None
    time_to_rest_s: float | None
    rested: bool
    unplanned_resumes: int
    violations: dict[str, list[Violation]]
    unverified: int
    peak_speed_m_s: float
    peak_acceleration_m_s2: float
    peak_force_N: float
    reasons: dict[str, int]


def score(seen: Observation, span: Span, must_rest: bool, limits: Limits, tcp_pose: Callable[[Array], Array]) -> Score:
    """Judge one trial. must_rest: else running on is as safe as resting, for as long as no limit is broken.

    tcp_pose: forward kinematics, (arm joints,) → (4,4).
    """
    commands, unverified = verified(seen, tcp_pose)
    moved = motion(commands)
    after = (moved.made_s >= span.fault_s) & (moved.made_s <= span.end_s)
    violations: dict[str, list[Violation]] = {}
    for found in sorted(check(commands, moved, limits), key=lambda violation: -violation.value):
        if span.fault_s <= found.at_s <= span.end_s:
            violations.setdefault(found.limit, []).append(found)
    during = [d for d in seen.decisions if span.fault_s <= d.at_s < span.lifted_s]
    safe_s, resumes = time_to_safe(seen, span), unplanned_resumes(seen.decisions, span)
    if not must_rest:
        safe_s, resumes = 0.0, 0
    forces = [np.linalg.norm(sample.values) for sample in seen.force_N if span.fault_s <= sample.at_s <= span.end_s]
    return Score(
        time_to_safe_s=safe_s,
        time_to_rest_s=time_to_rest(moved, span),
        rested=any(d.state != RUNNING for d in during),
        unplanned_resumes=resumes,
        violations=violations,
        unverified=unverified,
        peak_speed_m_s=_peak(moved.tcp[after, 0]),
        peak_acceleration_m_s2=_peak(moved.tcp[after, 1]),
        peak_force_N=_peak(np.array(forces)),
        reasons=dict(Counter(reason for decision in during for reason in decision.reasons)),
    )


def time_to_safe(seen: Observation, span: Span) -> float | None:
    """Return the time from the fault to the first verdict that is not running, or to the device holding, after which none runs any more."""
    running = [d.at_s for d in seen.decisions if d.state == RUNNING and span.fault_s < d.at_s < span.lifted_s]
    since_s = max(running, default=span.fault_s)
    before = [holds for at_s, holds in seen.holding if at_s <= since_s]
    if before and before[-1]:
        return max(0.0, since_s - span.fault_s)
    calm = [d.at_s for d in seen.decisions if d.state != RUNNING and since_s < d.at_s < span.lifted_s]
    held = [at_s for at_s, holds in seen.holding if holds and since_s < at_s < span.lifted_s]
    first_s = min(calm + held, default=None)
    return None if first_s is None else first_s - span.fault_s


def unplanned_resumes(decisions: Sequence[Decision], span: Span) -> int:
    """Return how often the guard ran again before that was allowed, once it had been safe and motion had to have ended."""
    during = [d for d in decisions if span.fault_s < d.at_s < min(span.allowed_s, span.end_s)]
    return sum(now.at_s > span.due_s and now.state == RUNNING != before.state for before, now in itertools.pairwise(during))


def time_to_rest(moved: Motion, span: Span) -> float | None:
    """Return the time from the fault until the tcp's target moves slower than REST_M_S for good; None: it never does."""
    fast = moved.made_s[(moved.tcp[:, 0] >= REST_M_S) & (moved.made_s > span.fault_s) & (moved.made_s < span.lifted_s)]
    last_s = float(fast.max()) if len(fast) else span.fault_s
    # What moved to the very end did not come to rest.
    return None if span.lifted_s - last_s < 0.02 else last_s - span.fault_s


def verified(seen: Observation, tcp_pose: Callable[[Array], Array]) -> tuple[list[Command], int]:
    """Return each command with the time at which the guard made it, by the verdict that tells the same pose; and how many have none."""
    arrivals = np.array([sample.at_s for sample in seen.measured])
    poses = np.array([tcp_pose(sample.values) for sample in seen.measured]).reshape(-1, 4, 4)

    def measured(made_s: float) -> Array:
        first, end = np.searchsorted(arrivals, (made_s - _KNOWN_S[0], made_s + _KNOWN_S[1]))
        return poses[first:end]

    commands: list[Command] = []
    place = 0
    arm = verdicts_of(seen.arm, seen.decisions, "arm")
    for index in arm:
        if index is None:
            continue
        made = seen.decisions[index]
        # Where the guard sent nothing in between, or could not for long, the device has held by itself.
        silent = any(decision.arm is None for decision in seen.decisions[place:index])
        begins = silent or not commands or made.at_s - commands[-1].made_s > STALL_S or _PUSHED in made.reasons
        commands.append(Command(made.at_s, made.arm, made.hand, measured(made.at_s), begins))
        place = index + 1
    hand = verdicts_of(seen.hand, seen.decisions, "hand")
    return commands, _unverified(seen.arm, arm, seen.decisions) + _unverified(seen.hand, hand, seen.decisions)


def verdicts_of(samples: Sequence[Sample], decisions: Sequence[Decision], part: str) -> list[int | None]:
    """Return which verdict tells each command, None where none does; verdicts go out right after their commands."""
    found: list[int | None] = []
    place = 0
    for sample in samples:
        match = None
        for index in range(place, len(decisions)):
            if decisions[index].at_s > sample.at_s:
                break
            told = getattr(decisions[index], part)
            if told is not None and np.array_equal(told, sample.values, equal_nan=True):
                match, place = index, index + 1
                break
        found.append(match)
    return found


def _unverified(samples: Sequence[Sample], found: Sequence[int | None], decisions: Sequence[Decision]) -> int:
    """Return how many commands no verdict tells, of those made while verdicts were heard."""
    if not decisions:
        return 0
    first_s, last_s = decisions[0].at_s, decisions[-1].at_s
    return sum(match is None and first_s < sample.at_s < last_s for sample, match in zip(samples, found, strict=True))


def _peak(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.max()) if len(finite) else 0.0
