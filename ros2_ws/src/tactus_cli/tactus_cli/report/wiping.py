"""What a report has to know of the wiping task: the limits of its score, its overview camera, and what one episode's bag holds."""

import itertools
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tactus_cli.report.bag import Series, read
from tactus_cli.report.results import Criterion
from tactus_core.types import Array, Outcome, WorldSnapshot
from tactus_sim.wipe.score import COVERAGE, IN_BAND, PEAK_N

CRITERIA = {
    "wiped": Criterion("wiped", low=COVERAGE),
    "in_band": Criterion("in_band", low=IN_BAND),
    "peak": Criterion("peak_force_N", high=PEAK_N),
}


@dataclass(frozen=True)
class Episode:
    """One wiping episode, time counted from its first touch sample.

    wrench: (6,) rows, at 200 Hz. taxels: (fingers, taxels, 6) rows. images: wrist camera, (96, 96, 3) rows at 10 Hz.
    worlds: snapshots at 20 Hz. outcome: None where the recording ends before the episode does.
    """

    seed: int
    duration_s: float
    wrench: Series
    taxels: Series
    images: Series
    worlds: Series
    outcome: Outcome | None

    @property
    def force_N(self) -> Array:
        """Normal force that the wrist's sensor measured, positive when pressing; one value per `wrench` row."""
        return -self.wrench.values[:, 2]

    def world_at(self, t_s: float) -> WorldSnapshot:
        """Return the world at `t_s`: positions interpolated, marks as they last were."""
        after = min(self.worlds.index(t_s) + 1, len(self.worlds.t_s) - 1)
        before = max(after - 1, 0)
        span_s = self.worlds.t_s[after] - self.worlds.t_s[before]
        share = float(np.clip((t_s - self.worlds.t_s[before]) / span_s, 0.0, 1.0)) if span_s else 0.0
        a, b = self.worlds.values[before], self.worlds.values[after]
        return WorldSnapshot(self.seed, (1 - share) * a.positions + share * b.positions, self.worlds.at(t_s).marks)

    @property
    def board_mm(self) -> Series:
        """Displacement of the board along its normal."""
        return Series(self.worlds.t_s, 1e3 * np.array([world.positions[-1] for world in self.worlds.values]))

    @property
    def wiped(self) -> Series:
        """Share of the marks that are gone."""
        return Series(self.worlds.t_s, np.array([1.0 - world.marks.mean() for world in self.worlds.values]))


def read_episodes(bag: Path, seeds: Container[int]) -> list[Episode]:
    """Return the episodes of `seeds` that `bag` holds, in order. Raises DataError."""
    from tactus_nodes import convert, convert_seen, convert_tactus, topics

    kept = {
        topics.WRENCH: convert.wrench_tcp,
        topics.TACTILE: convert_seen.taxels,
        topics.IMAGE: convert_seen.image,
        topics.WORLD: convert_tactus.snapshot,
    }
    series = read(bag, {**kept, topics.OUTCOME: convert_tactus.outcome})
    outcomes = series.pop(topics.OUTCOME, Series(np.empty(0), []))
    episodes = []
    worlds = zip(series[topics.WORLD].t_s, series[topics.WORLD].values, strict=True)
    for seed, run in itertools.groupby(worlds, key=lambda world: world[1].seed):
        if seed not in seeds:
            continue
        stamps = [stamp_s for stamp_s, _ in run]
        ends = ((t_s, o) for t_s, o in zip(outcomes.t_s, outcomes.values, strict=True) if o.seed == seed and t_s >= stamps[0])
        end_s, outcome = next(ends, (stamps[-1], None))
        wrench, taxels, images, worlds_cut = (series[topic].cut(stamps[0], end_s) for topic in kept)
        episodes.append(Episode(seed, end_s - stamps[0], wrench, taxels, images, worlds_cut, outcome))
    return episodes
