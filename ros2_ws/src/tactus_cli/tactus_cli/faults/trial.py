"""One fault at one moment: the robot moves, the fault comes, is watched and lifted, and motion has to come back as specified."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from tactus_cli.faults.graph import Graph
from tactus_cli.faults.kinds import BY_ITSELF, RELAUNCH, Answer, Kind
from tactus_cli.faults.limits import Limits
from tactus_cli.faults.score import Score, Span, score
from tactus_core.types import Array

_PAUSE_S = (0.3, 1.5)
_STAYS_S = 0.3
_BEFORE_S = 0.2  # what was commanded just before is judged too: rates need a few commands to begin with
_SEEDS = 90_000  # training seeds: their episodes are in no report


@dataclass(frozen=True)
class Trial:
    """One trial of a kind. recovered: motion went on, or came back, as specified. usable: the same graph serves the next trial.

    complaint: what the nodes said of themselves where it did not.
    """

    score: Score
    recovered: bool
    usable: bool
    complaint: str = ""


def run(kind: Kind, graph: Graph, seed: int, number: int, limits: Limits, tcp_pose: Callable[[Array], Array]) -> Trial:
    """Run one trial; seed and number decide the moment and the details. Raises DeviceError where the robot does not move to begin with."""
    draw = random.Random(f"{seed} {kind.name} {number}")
    graph.get_moving(draw.randrange(_SEEDS), draw.uniform(*_PAUSE_S))
    fault_s, lift = kind.inject(graph, draw)
    try:
        graph.sleep(kind.watch_s - (time.monotonic() - fault_s))
        complained = not kind.complaint or graph.wait(lambda: kind.complaint in graph.trouble, kind.recover_s)
    finally:
        lifted_s = time.monotonic()  # before, for what is lifted acts at once
        lift()
    recovered, allowed_s = _recover(kind, graph, lifted_s)
    if kind.complaint:
        recovered = graph.wait(lambda: kind.complaint not in graph.trouble, kind.recover_s) and recovered
    span = Span(fault_s, fault_s + kind.bound_s, lifted_s, allowed_s, time.monotonic())
    usable = recovered and kind.recovery != RELAUNCH
    graph.seen.forget(fault_s - _BEFORE_S)
    result = score(graph.seen, span, kind.answer is Answer.REST, limits, tcp_pose)
    disturbed = kind.answer is Answer.GO_ON and result.rested
    sound = recovered and complained and not disturbed
    return Trial(result, sound, usable, "" if sound else graph.complaints())


def _recover(kind: Kind, graph: Graph, lifted_s: float) -> tuple[bool, float]:
    """Bring motion back; return whether that went as specified, and from when on motion was allowed."""
    if kind.recovery == RELAUNCH:
        return graph.wait(lambda: graph.ended, kind.recover_s), float("inf")
    allowed_s: float | None = lifted_s
    if kind.recovery != BY_ITSELF:
        graph.begin_anew()
        graph.sleep(_STAYS_S)  # it has to stay at rest
        allowed_s = graph.reset(kind.recover_s)
        if allowed_s is None:
            return False, float("inf")
    since_s = time.monotonic()
    moved = graph.wait(lambda: graph.moves() and graph.seen.decisions[-1].at_s > since_s, kind.recover_s)
    if moved:
        # A plan from before the fault may end meanwhile, and the robot rest until there is a new one.
        graph.sleep(kind.after_s)
        moved = graph.wait(graph.moves, kind.recover_s)
    return moved, allowed_s
