"""Which stretches of a bag are episodes."""

import itertools
from dataclasses import dataclass

from tactus_core.datasets.bag import MARK, OUTCOME, WORLD, Bag

_LABELS = {"success": True, "failure": False}


@dataclass(frozen=True)
class Span:
    """One episode in a bag, from start to end, both included [ns]. success: None where nobody said. name: of it in the bag."""

    start_ns: int
    end_ns: int
    name: str
    success: bool | None = None


def spans(bag: Bag) -> list[Span]:
    """Return the episodes of a bag: those that were marked; else of a simulated robot its worlds that came to an outcome, one per seed.

    A simulated robot idles in a world before its first episode and after its last: where no world has an outcome, all of them count.
    Any other bag is one episode, with the last label that was given in it.
    """
    marks = _marks(bag)
    if any(kind == "begin" for _, kind in marks):
        return _marked(marks, _end_ns(bag))
    if WORLD in bag.streams:
        return _simulated(bag)
    start_ns = min(int(stream.time_ns[0]) for stream in bag.streams.values())
    labels = [_LABELS[kind] for _, kind in marks if kind in _LABELS]
    return [Span(start_ns, _end_ns(bag), "whole bag", labels[-1] if labels else None)]


def _end_ns(bag: Bag) -> int:
    return max(int(stream.time_ns[-1]) for stream in bag.streams.values())


def _marks(bag: Bag) -> list[tuple[int, str]]:
    if MARK not in bag.streams:
        return []
    stream = bag.streams[MARK]
    return [(time_ns, mark.kind) for time_ns, mark in zip(stream.time_ns.tolist(), stream.values, strict=True)]


def _marked(marks: list[tuple[int, str]], end_ns: int) -> list[Span]:
    """Return the episodes from a `begin` to whatever ends it: a label, `end`, the next `begin`, or the bag's end."""
    found: list[Span] = []
    start_ns: int | None = None
    for time_ns, kind in (*((t, k) for t, k in marks if k != "note"), (end_ns, "end")):
        if start_ns is not None:
            found.append(Span(start_ns, time_ns, f"marked {len(found) + 1}", _LABELS.get(kind)))
        start_ns = time_ns if kind == "begin" else None
    return found


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
