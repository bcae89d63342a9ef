"""Which stretches of a bag are episodes."""

import itertools
from dataclasses import dataclass

from tactus_core.datasets.bag import OUTCOME, WORLD, Bag


@dataclass(frozen=True)
class Span:
    """One episode in a bag, from start to end, both included [ns]. success: None where nobody said. name: of it in the bag."""

    start_ns: int
    end_ns: int
    name: str
    success: bool | None = None


def spans(bag: Bag) -> list[Span]:
    """Return the episodes of a bag: of a simulated one its worlds that came to an outcome, one per seed; else the whole bag is one.

    A simulated robot idles in a world before its first episode and after its last: where no world has an outcome, all of them count.
    """
    if WORLD in bag.streams:
        return _simulated(bag)
    start_ns = min(int(stream.time_ns[0]) for stream in bag.streams.values())
    end_ns = max(int(stream.time_ns[-1]) for stream in bag.streams.values())
    return [Span(start_ns, end_ns, "whole bag")]


def _simulated(bag: Bag) -> list[Span]:
    worlds = bag.streams[WORLD]
    outcomes = bag.streams.get(OUTCOME)
    ends = list(zip(outcomes.time_ns.tolist(), outcomes.values, strict=True)) if outcomes else []
    found = []
    for seed, run in itertools.groupby(zip(worlds.time_ns.tolist(), worlds.values, strict=True), key=lambda world: int(world[1].seed)):
        times_ns = [time_ns for time_ns, _ in run]
        end = next(((t, o) for t, o in ends if int(o.seed) == seed and t >= times_ns[0]), None)
        end_ns, success = (end[0], bool(end[1].success)) if end else (times_ns[-1], None)
        found.append(Span(times_ns[0], end_ns, f"seed {seed}", success))
    ended = [span for span in found if span.success is not None]
    return ended or found
