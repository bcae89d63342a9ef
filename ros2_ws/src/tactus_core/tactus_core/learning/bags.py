"""Bags of a robot → what learns from episodes reads: transitions, and what interventions looked like.

Rows are those that practice in lockstep makes (`decisions.py`), from what was recorded: at each proposal of the policy the chunk that it
played, the states that it had, and its own bundle say anew what was observed and what the residual decided, noise and all; the first
verdict that the recorder got after a proposal says what was executed, by whom (while a human has control that may be the next tick's).
Nothing is interpolated. An episode of which something is missing, in which two versions acted, or whose proposals were other ones than
those computed anew, is left out and told: nothing is filled in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tactus_core.datasets import messages
from tactus_core.datasets.bag import CHUNK, OUTCOME, PROPOSAL, VERDICT, Bag
from tactus_core.datasets.findings import Finding, Place
from tactus_core.datasets.spans import Span, spans
from tactus_core.datasets.states import robot_states, sensors
from tactus_core.errors import DataError, StaleError
from tactus_core.geometry import checked_pose, rotation_vector
from tactus_core.history import STAMP_EPSILON_S, StateArrays
from tactus_core.learning.classifier import SuccessClassifier
from tactus_core.learning.decisions import Decisions
from tactus_core.learning.judged import Actor, Judgement, judge, rewarded
from tactus_core.learning.seen import interventions
from tactus_core.learning.shown import Arrays
from tactus_core.learning.transitions import Transitions
from tactus_core.policy.fast import SOURCE, make_base
from tactus_core.policy.observation import TOLERANCE_S
from tactus_core.policy.residual import corrected, decided
from tactus_core.ports import FastPolicy
from tactus_core.types import ActionChunk, Array, RobotState

# How far a proposal may be from what the bundle makes of the record [m], [rad]. Where nothing was lost it is rounding; a sample that
# reached the policy and not the recorder moves what a fast head feels a little.
SAME = 1e-4
# Of a simulated episode: how long it took, among the parts of its score.
_EPISODE_S = "episode_s"


@dataclass(frozen=True)
class Lived:
    """An episode of a bag. seen: its interventions, as training by imitation reads them; None where there are none, no images, or holes.

    off: how far the proposals were from those computed anew, at each decision: the larger of [m] and [rad]. label: the operator's, or the
    task's own. judgement: a classifier's, None where none was asked, or could not say.
    """

    transitions: Transitions
    seen: Arrays | None
    off: Array
    label: bool | None = None
    judgement: Judgement | None = None


def lived(
    bag: Bag,
    actor_of: Callable[[str], Actor | None],
    classifier: SuccessClassifier | None = None,
    known: Callable[[float, float], bool] = lambda begins_s, ends_s: False,
) -> Iterator[Lived | Finding]:
    """Yield the episodes of a bag as they were marked (`spans`), and why one, or what it looked like, is left out.

    actor_of: by the hash of a bundle's card. classifier: labels what nobody labelled; one of another task raises BundleError.
    known: whether what was proposed from one stamp to another is there already: bags of a ring overlap, and reading an episode takes long.
    """
    found = spans(bag)
    for span, after in zip(found, [*found[1:], None], strict=True):
        name = f"{bag.source}, {span.name}"
        try:
            record = _Record.of(bag, span)
            if known(record.stamps_s[0], record.stamps_s[-1]):
                continue
            transitions, off, states, actor = _episode(bag, span, record, actor_of)
        except (DataError, StaleError) as error:
            yield Place(name, "transitions").finding("out", np.nan, str(error))
            continue
        seen = None
        try:
            seen = interventions(bag, states, actor.robot)
        except DataError as error:
            yield Place(name, "images").finding("out", np.nan, str(error))
        judgement = None
        if classifier is not None:
            try:
                judgement = judge(bag, span, after, actor, classifier)
                transitions = rewarded(transitions, judgement)
            except (DataError, StaleError) as error:
                yield Place(name, "success").finding("out", np.nan, str(error))
        yield Lived(transitions, seen, off, span.success, judgement)


def _episode(
    bag: Bag, span: Span, record: "_Record", actor_of: Callable[[str], Actor | None]
) -> tuple[Transitions, Array, list[RobotState], Actor]:
    actor = actor_of(record.bundle_hash)
    if actor is None:
        raise DataError(
            f"'{record.bundle}' with the card {record.bundle_hash[:12] or '?'} acted, and it is none of the bundles that were given. Give "
            "its folder, too, or the folder of versions that it is in."
        )
    card, played = actor.bundle.card, record.chunks(actor.bundle.card.validity_s)
    past_s = max(card.lookback_s, card.latent.window_before_s if card.latent else 0.0) + TOLERANCE_S
    recorded = robot_states(bag, actor.robot, card, min(chunk.stamp_s for chunk in played) - past_s, record.stamps_s[-1])
    # It answers every state that it gets, if only to give control back: what it did not answer never reached it.
    answered = {_stamp_s(proposal) for proposal in bag.streams[PROPOSAL].values if proposal.source == SOURCE}
    states = [state for state in recorded if state.stamp_s in answered]
    replay = _Replay(actor, StateArrays.of(states, card.needs), lossy=any(topic in bag.dropped for topic in sensors(bag)))
    for event in record.events():
        if event.chunk_of is None:
            replay.hear(event.message)
        else:
            replay.act(played[event.chunk_of], record.stamps_s[event.chunk_of], event.message)
    rows = replay.decisions.rows()
    if not len(rows["stamp_s"]):
        raise DataError("no decision: the policy had no history of states, or the guard sent nothing. Was it a dry run, or a device late?")
    transitions = Transitions(
        **rows,
        success=span.success,
        ended=span.success is not None and _elapsed_s(bag, span) < actor.duration_s - STAMP_EPSILON_S,
        reward_source="none" if span.success is None else "label",
        bundle=card.id,
        bundle_hash=record.bundle_hash,
        seed=-1,
        episode=0,
    )
    return transitions, np.array(replay.off), recorded, actor


def _elapsed_s(bag: Bag, span: Span) -> float:
    """Return how long a simulated episode took by its own clock; −infinity where nobody says."""
    outcomes = bag.streams.get(OUTCOME)
    told = zip(outcomes.time_ns.tolist(), outcomes.values, strict=True) if outcomes else ()
    inside = [dict(zip(o.names, o.values, strict=True)) for time_ns, o in told if span.start_ns <= time_ns <= span.end_ns]
    return max((parts[_EPISODE_S] for parts in inside if _EPISODE_S in parts), default=-np.inf)


@dataclass(frozen=True)
class _Event:
    """A verdict, or a proposal with its place among the episode's (`chunk_of`), in the order in which one led to the other."""

    at_ns: int
    message: Any
    chunk_of: int | None


@dataclass(frozen=True)
class _Record:
    """What was proposed and decided in an episode: messages with the times at which the recorder got them."""

    proposals: list[tuple[int, Any]]
    verdicts: list[tuple[int, Any]]
    offered: list[ActionChunk]

    @classmethod
    def of(cls, bag: Bag, span: Span) -> "_Record":
        inside = {topic: _inside(bag, topic, span) for topic in (PROPOSAL, VERDICT)}
        proposals = [(at_ns, p) for at_ns, p in inside[PROPOSAL] if p.source == SOURCE and not p.release]
        acted = {p.bundle_hash: p.bundle for _, p in proposals}
        if len(acted) != 1:
            names = " and ".join(f"'{bundle}' ({bundle_hash[:12]})" for bundle_hash, bundle in acted.items())
            raise DataError(f"expected one policy that acts, and there was {names or 'none'}. Nothing can be said of whose episode it is.")
        steps = np.diff([verdict.tick for _, verdict in inside[VERDICT]])
        if not len(steps) or (steps != 1).any():
            raise DataError(f"{int((steps != 1).sum())} holes in the guard's ticks: verdicts are missing. Record it again.")
        chunks = (messages.chunk(message) for message in bag.streams[CHUNK].values) if CHUNK in bag.streams else ()
        return cls(proposals, inside[VERDICT], [chunk for chunk in chunks if chunk is not None])

    @property
    def bundle(self) -> str:
        return str(self.proposals[0][1].bundle)

    @property
    def bundle_hash(self) -> str:
        return str(self.proposals[0][1].bundle_hash)

    @property
    def stamps_s(self) -> list[float]:
        """Of the samples of touch that the proposals answer."""
        return [_stamp_s(proposal) for _, proposal in self.proposals]

    def chunks(self, validity_s: float) -> list[ActionChunk]:
        """Return the chunk that each proposal played; raises DataError where one is missing."""
        found = []
        for stamp_s, (_, proposal) in zip(self.stamps_s, self.proposals, strict=True):
            # A slow policy that was started anew counts from 1 again.
            of = [
                chunk
                for chunk in self.offered
                if (chunk.bundle_hash, chunk.sequence) == (proposal.bundle_hash, proposal.chunk_sequence)
                and -STAMP_EPSILON_S <= stamp_s - chunk.stamp_s <= validity_s + STAMP_EPSILON_S
            ]
            if not of:
                raise DataError(f"chunk {proposal.chunk_sequence}, which was played at {stamp_s:.3f} s, is missing. Record it again.")
            found.append(of[-1])
        return found

    def events(self) -> list[_Event]:
        """Return everything in order of arrival, but a proposal before the verdict that answers it, however they reached the recorder."""
        answered: dict[tuple[int, int], int] = {}
        for at_ns, verdict in self.verdicts:
            if verdict.source == SOURCE:
                answered.setdefault((verdict.header.stamp.sec, verdict.header.stamp.nanosec), at_ns)
        found = [_Event(at_ns, verdict, None) for at_ns, verdict in self.verdicts]
        for place, (at_ns, proposal) in enumerate(self.proposals):
            stamp = (proposal.header.stamp.sec, proposal.header.stamp.nanosec)
            found.append(_Event(min(at_ns, answered.get(stamp, at_ns)), proposal, place))
        return sorted(found, key=lambda event: (event.at_ns, event.chunk_of is None))


def _stamp_s(message: Any) -> float:
    return messages.seconds(messages.nanoseconds(message.header.stamp))


def _inside(bag: Bag, topic: str, span: Span) -> list[tuple[int, Any]]:
    if topic not in bag.streams:
        raise DataError(f"it has no {topic}. Did the guard and a policy run, and the recorder before them?")
    stream = bag.streams[topic]
    return [pair for pair in zip(stream.arrival_ns.tolist(), stream.values, strict=True) if span.start_ns <= pair[0] <= span.end_ns]


class _Replay:
    """Takes the decisions of an episode once more. lossy: whether states may be missing that the policy had. off: see `Lived`."""

    def __init__(self, actor: Actor, states: StateArrays, lossy: bool) -> None:
        bundle, spec = actor.bundle, actor.bundle.card.residual
        self._base: FastPolicy = make_base(bundle, actor.robot)
        self._spec, self._states, self._lossy = spec, states, lossy
        decide = partial(decided, bundle, spec) if spec else (lambda observed, at_s: np.zeros(6))
        self.decisions = Decisions(self._base, bundle.card.observation.low_dim, spec.dt_s if spec else actor.dt_s, decide)
        self.off: list[float] = []

    def act(self, chunk: ActionChunk, now_s: float, recorded: Any) -> None:
        """Act at a tick of the fast policy; raises DataError where it did something else than was recorded, StaleError where it could not.

        A base alone acts without a history, too: where the device was late, and nothing was lost, there is no decision.
        """
        try:
            correction, new = self.decisions.take(chunk, self._states, now_s)
        except StaleError:
            if self._spec or self._lossy:
                raise
            return
        if not new:
            return
        made = self._base.act(chunk, self._states, now_s)
        made = corrected(made, correction, self._spec) if self._spec else made
        off = _apart(made.target.T_base_tcp, checked_pose(messages.pose(recorded.tcp_target), "a recorded proposal"))
        if not off <= SAME:
            raise DataError(
                f"what the policy proposed at {now_s:.3f} s is {off:.2g} m or rad from what '{chunk.bundle}' makes of the record, expected "
                f"at most {SAME}: states are missing, or it is the recording of another robot. Record it again."
            )
        self.off.append(off)

    def hear(self, verdict: Any) -> None:
        """Note what was executed."""
        values = messages.pose(verdict.executed)
        T = checked_pose(values, "a verdict's pose") if np.isfinite(values).all() else None
        self.decisions.note(T, verdict.intervention, verdict.onset)


def _apart(T: Array, T_other: Array) -> float:
    turn = rotation_vector(np.ascontiguousarray(T[:3, :3].T @ T_other[:3, :3]))
    return float(max(np.linalg.norm(T[:3, 3] - T_other[:3, 3]), np.linalg.norm(turn)))
