"""A scripted operator corrects a policy on a shifted task, and a learner learns from it: success and interventions over corrections."""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tactus_cli.episodes import in_lockstep, progress
from tactus_cli.learning import Desk, learner_at
from tactus_cli.quiet import quiet
from tactus_cli.report.results import wilson
from tactus_core.engines.port import EngineConfig
from tactus_core.errors import ConfigError
from tactus_core.learning.transitions import Experience, Transitions, load, save
from tactus_core.learning.versions import Versions
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.residual import wanted
from tactus_core.ports import SimTask
from tactus_core.types import Array
from tactus_nodes.plugins import find_task

if TYPE_CHECKING:
    from tactus_models.config import LearnConfig

_WINDOW = 30  # episodes over which interventions are averaged
_FIRST_SEED = 10_000  # after those of demonstrations, before those for tuning


@dataclass(frozen=True)
class Study:
    """One method, one seed. corrections: to be given, by an operator with this patience who watches that share of the episodes.

    practice: episodes after which it ends, too. points: versions that are evaluated. episodes: for each success rate, from first_seed on.
    """

    task: str
    shift: str
    corrections: int
    practice: int
    patience_s: float
    watched: float
    points: int
    episodes: int
    first_seed: int
    folder: Path
    desk: Desk


class Robot:
    """The robot's side: lives episodes by the newest version, with the operator beside it, and records them."""

    def __init__(self, study: Study, config: "LearnConfig") -> None:
        """Load world, operator, and the newest version."""
        with quiet():
            from tactus_models.residual.train import spec_of
            from tactus_sim.corrected import Corrected
            from tactus_sim.person import PersonConfig
            from tactus_sim.practice import LockstepPractice
            from tactus_sim.seat import Seat

            task: SimTask = find_task(study.task, study.shift)
            if task.make_expert is None:
                raise ConfigError(f"task '{study.task}' has no expert that could advise a scripted operator. Choose insert or wipe.")
            # Only a base sees images.
            self._kept: Corrected | None = (
                Corrected(task.make_camera(task.cameras[0]), task.robot) if study.desk.method == "dagger" else None
            )
            self._acting = study.desk.versions.paths()[-1]
            seat = Seat(task.make_expert(), PersonConfig(study.watched, patience_s=study.patience_s), study.desk.seed)
            bundle = Bundle.load(self._acting)
            self._practice: LockstepPractice = LockstepPractice(task, bundle, spec_of(config.residual), (seat,), self._kept)
        self._bundle, self._config, self._desk = bundle, config, study.desk
        self._steps = sum(len(load(path)) for path in study.desk.experience.paths())

    def live(self, episode: int) -> Transitions:
        """Live the episode of that number, and leave it in the experience."""
        newest, experience = self._desk.versions.paths()[-1], self._desk.experience
        if newest != self._acting:
            self._acting, self._bundle = newest, Bundle.load(newest)
            self._practice.use(self._bundle)
        seed = _FIRST_SEED + 1000 * self._desk.seed + episode
        # The practice counts from its own start, which a second call is.
        lived = replace(self._practice.episode(seed, self._decider(episode)).transitions, episode=episode)
        self._steps += len(lived)
        if self._kept is not None:
            self._kept.write(experience.seen(episode), seed)
        save(lived, experience.path(episode))
        return lived

    def _decider(self, episode: int) -> Callable[[Array], Array]:
        from tactus_models.residual.train import Exploration

        if self._bundle.card.residual is None:
            return lambda _: np.zeros(6)
        bundle, residual = self._bundle, self._config.residual
        noise = Exploration(residual, np.random.default_rng((self._desk.seed, 2, episode)), self._steps)

        def decide(observed: Array) -> Array:
            return np.clip(wanted(bundle, observed) + noise(), -1.0, 1.0)

        return decide


def run(study: Study, config: "LearnConfig", tell: Callable[[int, str], None]) -> dict[str, Any]:
    """Correct until there were as many corrections, or episodes, as asked for, then evaluate versions; return the report.

    tell: is told how many episodes were lived, and a line on how it goes. What was done before is not done again.
    """
    desk, robot = study.desk, None
    with learner_at(desk, config) as following:
        while following.corrections < study.corrections and following.episodes < study.practice:
            if len(desk.experience.paths()) <= following.episodes:
                robot = robot or Robot(study, config)
                robot.live(following.episodes)
            values = following.step()
            if values is not None:
                tell(following.episodes, f"{following.corrections} corrections")
        following.finish()
        lived = [load(path) for path in desk.experience.paths()[: following.episodes]]
    known, versions = following.versions(), desk.versions.paths()
    chosen = [versions[index] for index in np.unique(np.linspace(0, len(versions) - 1, study.points).round().astype(int))]
    rates = [{**known[at.name], **evaluated(study, at, lambda line: tell(following.episodes, line))} for at in chosen]
    return {"method": desk.method, "seed": desk.seed, "watched": study.watched, "success": rates, **interventions(lived, study.watched)}


def evaluated(study: Study, version: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return success and its interval of a version without the operator, from its file where it was evaluated before."""
    kept = study.folder / f"evaluated-{version.name}-{study.first_seed}-{study.episodes}.json"
    if not kept.exists():
        seeds = range(study.first_seed, study.first_seed + study.episodes)
        good = []
        for outcome in in_lockstep(study.task, version, seeds, 1, EngineConfig(), study.shift):
            good.append(outcome.success)
            tell(f"version {version.name}: {sum(good)} of {len(good)}")
        low, high = wilson(sum(good), len(good))
        rate = {"version": version.name, "episodes": len(good), "rate": sum(good) / len(good), "low": low, "high": high}
        kept.write_text(json.dumps(rate))
    told: dict[str, Any] = json.loads(kept.read_text())
    return told


def interventions(lived: list[Transitions], watched: float) -> dict[str, Any]:
    """Return, over the corrections so far, how many interventions an episode had, and which share of episodes succeeded without any.

    watched: the share of episodes that the operator watches; interventions are of these.
    """
    counts = np.array([episode.interventions for episode in lived])
    alone = np.array([bool(episode.success) and not episode.interventions for episode in lived])
    window = [slice(max(0, i + 1 - _WINDOW), i + 1) for i in range(len(lived))]
    quarter, share = max(1, len(lived) // 4), watched or 1.0  # of whom nobody watches there are none
    return {
        "lived": len(lived),
        "corrections": np.cumsum(counts).tolist(),
        "interventions_per_episode": [round(float(counts[part].mean()) / share, 3) for part in window],
        "alone": [round(float(alone[part].mean()), 3) for part in window],
        "first_quarter": float(counts[:quarter].mean()) / share,
        "last_quarter": float(counts[-quarter:].mean()) / share,
    }


def measure(methods: Sequence[str], seeds: range, folder: Path, config: "LearnConfig", chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Run every method with every seed, with a progress bar, and draw the curve; return the report. chosen: what else tells a `Study`."""
    from rich.console import Console
    from rich.progress import TextColumn

    from tactus_cli.report.corrections import curve

    find_task(chosen["task"], chosen["shift"])
    console, runs = Console(), []
    shared = {name: chosen[name] for name in ("task", "shift", "corrections", "practice", "patience_s", "watched", "points", "episodes")}
    for method, seed in itertools.product(methods, seeds):
        at = folder / f"{chosen['task']}-{chosen['shift']}-{method}-{seed}"
        experience, versions = Experience(at / "experience"), Versions(at / "versions")
        desk = Desk(chosen["bundle"], method, seed, chosen["every"], chosen["data"], experience, versions, at / "learner", folder)
        with progress(console, TextColumn("{task.fields[note]}")) as bar:
            task = bar.add_task(f"{method} {seed} · episodes", total=chosen["practice"], note="")
            study = Study(**shared, first_seed=chosen["first"], folder=at, desk=desk)
            runs.append(run(study, config, lambda count, note, bar=bar, task=task: bar.update(task, completed=count, note=note)))
    curve(runs, folder / "corrections.png")
    return {**shared, "bundle": chosen["bundle"], "first_seed": chosen["first"], "runs": runs}
