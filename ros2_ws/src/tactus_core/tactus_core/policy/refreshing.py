"""Which blocks of a denoiser are computed anew in which step: block-wise adaptive caching (BAC; Ji et al. 2025, arXiv 2506.13456).

A schedule has for each block the steps of a plan, counted from 0, at which it is refreshed; in between its last output is used again.
It is made once, from what the blocks gave at each step of some plans without caching:

1. Each block gets the refreshes whose reuse resembles most what it would have given (dynamic programming).
2. Bubbling union: a feed-forward that is refreshed while a block before it serves something stale takes that error into its own cache.
   So the blocks whose reuse errs most are refreshed whenever a feed-forward of their layer or of a later one is.

The code that its authors released adds the last of 100 steps to every schedule; here that step has to earn its refreshes like any other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tactus_core.engines.blocks import Block
from tactus_core.types import Array

Schedule = Mapping[Block, tuple[int, ...]]


@dataclass(frozen=True)
class Reuse:
    """What a block gives at one step in the place of another, (K, K) each: cosine similarity, and mean absolute difference."""

    similarity: Array
    difference: Array

    @staticmethod
    def of(outputs: NDArray[np.float32]) -> "Reuse":
        """Compare what a block gave at each step of a plan (K, n)."""
        exact = outputs.astype(np.float64)  # squares of what is tiny vanish in single precision
        shares = exact / np.maximum(np.linalg.norm(exact, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        return Reuse(shares @ shares.T, np.array([np.abs(outputs - row).mean(axis=1) for row in outputs]))


def mean_reuse(plans: Sequence[Mapping[Block, Reuse]]) -> dict[Block, Reuse]:
    """Return the average over several plans."""
    return {
        block: Reuse(
            np.mean([plan[block].similarity for plan in plans], axis=0), np.mean([plan[block].difference for plan in plans], axis=0)
        )
        for block in plans[0]
    }


def adaptive(reuse: Mapping[Block, Reuse], refreshes: int, bubbled: int) -> dict[Block, tuple[int, ...]]:
    """Return the schedule with `refreshes` of each block, and more of those `bubbled` blocks whose reuse errs most."""
    alone = {block: best_refreshes(of.similarity, refreshes) for block, of in reuse.items()}
    errors = {block: reuse_error(of.difference, alone[block]) for block, of in reuse.items()}
    return bubbling_union(alone, sorted(errors, key=lambda block: -errors[block])[:bubbled])


def uniform(blocks: tuple[Block, ...], steps: int, refreshes: int) -> dict[Block, tuple[int, ...]]:
    """Return the schedule that refreshes all blocks together, at even distances: what adaptive caching has to beat."""
    return dict.fromkeys(blocks, tuple(round(number * steps / refreshes) for number in range(refreshes)))


def best_refreshes(similarity: Array, count: int) -> tuple[int, ...]:
    """Return the `count` steps, 0 among them, whose reuse until the next one resembles most: the greatest sum of `similarity` (K, K)."""
    steps = len(similarity)
    # gain[a, b]: refreshed at a, and next at b.
    gain = np.full((steps, steps + 1), -np.inf)
    for a in range(steps):
        gain[a, a + 1 :] = np.cumsum(similarity[a, a:])
    best = np.append(0.0, np.full(steps, -np.inf))
    chosen = []
    for _ in range(count):
        sums = best[:-1, None] + gain
        chosen.append(sums.argmax(axis=0))
        best = sums.max(axis=0)
    refreshes = [steps]
    for choice in reversed(chosen):
        refreshes.append(int(choice[refreshes[-1]]))
    return tuple(refreshes[:0:-1])


def reuse_error(difference: Array, refreshes: tuple[int, ...]) -> float:
    """Return the mean of `difference` (K, K) between each step and the last refresh before it, where that is another step."""
    last = np.zeros(len(difference), dtype=int)
    last[list(refreshes)] = refreshes
    last = np.maximum.accumulate(last)
    reused = np.setdiff1d(np.arange(len(difference)), refreshes)
    return float(difference[last[reused], reused].mean()) if len(reused) else 0.0


def bubbling_union(alone: Schedule, selected: list[Block]) -> dict[Block, tuple[int, ...]]:
    """Return a schedule in which each selected block is refreshed with every feed-forward of its own layer and of those behind it."""
    feeding = {block: steps for block, steps in alone.items() if block.kind == "feed_forward"}
    more = {block: set(alone[block]).union(*(steps for feed, steps in feeding.items() if feed.layer >= block.layer)) for block in selected}
    return {block: tuple(sorted(more.get(block, steps))) for block, steps in alone.items()}
