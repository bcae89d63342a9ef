"""Training of a residual: episodes of practice, updates after each, a log, and checkpoints to go on from.

What an episode explores and what an update draws are functions of (seed, count) alone; a checkpoint holds networks, optimisers and replay.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from tensorboardX import SummaryWriter

from tactus_core.errors import ConfigError
from tactus_core.policy.bundle import Bundle, Normaliser
from tactus_core.policy.exploring import wandering
from tactus_core.policy.fast import make_fast_policy
from tactus_core.policy.specs import ExplorationSpec, ResidualSpec
from tactus_core.ports import Practice
from tactus_core.types import Array, RobotDescription
from tactus_models.config import ResidualConfig, TrainConfig
from tactus_models.loop import CHECKPOINT_S
from tactus_models.residual.agent import Agent
from tactus_models.residual.demonstrations import demonstrated, replayed
from tactus_models.residual.export import export_residual
from tactus_models.residual.replay import Replay
from tactus_models.residual.studies import Studies

LONGEST_EPISODE = 1000  # decisions
_RECENT = 40  # training episodes whose success is averaged
FIRST_TUNING_SEED = 100_000


@dataclass
class Progressed:
    """How far a training has come: everything of it that is counted."""

    steps: int = 0
    episodes: int = 0
    updates: int = 0
    spent_s: float = 0.0
    recent: list[bool] = field(default_factory=list)
    validations: list[dict[str, float]] = field(default_factory=list)


class Exploration:
    """An episode's noise on corrections, as `policy/exploring.py` has it."""

    def __init__(self, config: ResidualConfig, rng: np.random.Generator, steps: int) -> None:
        """steps: lived before. In the warm-up some episodes are the base's own, others are random: both kinds have to be known."""
        size = rng.uniform(0.0, 1.0) * exploration_of(config, steps).noise
        self._values = wandering(rng, size, config.dt_s, config.noise_time_s)
        next(self._values)

    def __call__(self) -> Array:
        """Return the noise (6,) of the next decision, shares of the limits."""
        return next(self._values)


class ResidualTraining:
    """One training. practice: where episodes are lived; demonstrations: what half of every batch is drawn from."""

    def __init__(self, practice: Practice, demonstrations: Replay, config: ResidualConfig, seed: int, identity: dict[str, Any]) -> None:
        self._practice, self._config, self._seed = practice, config, seed
        self._replay = Replay(config.steps + LONGEST_EPISODE, config)
        self._limits = limits_of(config)
        self._studies = Studies(demonstrations, self._replay, self._limits, config, seed)
        self._identity = json.dumps({"seed": seed, **asdict(replace(config, steps=1)), **identity}, sort_keys=True)
        self.done = Progressed()

    @property
    def agent(self) -> Agent | None:
        """What learns; None in the warm-up."""
        return self._studies.agent

    @property
    def normaliser(self) -> Normaliser | None:
        """What its observations are normalised by."""
        return self._studies.normaliser

    def run(self, work_dir: Path) -> Progressed:
        """Train until the configuration's environment steps are used up, from the checkpoint in `work_dir` if there is one."""
        work_dir.mkdir(parents=True, exist_ok=True)
        path, config = work_dir / "residual.pt", self._config
        self._resume(path)
        done = self.done
        start_s = saved_s = time.monotonic()
        before_s = done.spent_s
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        log, board = (work_dir / "residual.jsonl").open("a"), SummaryWriter(str(work_dir / "tensorboard"))
        with Progress(*columns, TextColumn("{task.fields[note]}")) as bar, log, board:
            task = bar.add_task("residual", total=config.steps, completed=done.steps, note="")
            while done.steps < config.steps:
                values = self._episode()
                values |= self._learn(values.pop("decisions"))
                done.spent_s = before_s + time.monotonic() - start_s
                if done.steps // config.validate_every > len(done.validations):
                    done.validations.append(self.validate())
                    values |= {f"validation_{name}": value for name, value in done.validations[-1].items()}
                for name, value in values.items():
                    board.add_scalar(name, value, done.steps)
                log.write(
                    json.dumps({"step": done.steps, "spent_s": round(done.spent_s, 1)} | {k: round(v, 5) for k, v in values.items()}) + "\n"
                )
                log.flush()
                bar.update(task, completed=done.steps, note=f"success {np.mean(done.recent):.2f} of the last {len(done.recent)}")
                if time.monotonic() - saved_s > CHECKPOINT_S:
                    saved_s = time.monotonic()
                    self._save(path)
            self._save(path)
        return done

    def _episode(self) -> dict[str, float]:
        """Live one episode; return what is logged of it, and how many decisions it had."""
        done, config = self.done, self._config
        noise = Exploration(config, np.random.default_rng((self._seed, 1, done.episodes)), done.steps)
        agent = self.agent

        def decide(observed: Array) -> Array:
            chosen = np.zeros(6) if agent is None else agent.correction(observed)
            return np.clip(chosen + noise(), -1.0, 1.0)

        episode = self._practice.episode(self._training_seed(), decide)
        lived = episode.transitions
        self._replay.add_practised(lived, self._limits)
        done.steps += len(lived)
        done.episodes += 1
        done.recent = [*done.recent, episode.outcome.success][-_RECENT:]
        return {
            "success": float(episode.outcome.success),
            "decisions": float(len(lived)),
            "size": float(np.abs(lived.correction).mean()),
            **episode.outcome.parts,
        }

    def _training_seed(self) -> int:
        """Return seeds that come after those of demonstrations and before those for tuning, again from the first after the last."""
        return 1000 + self.done.episodes % (FIRST_TUNING_SEED - 1000)

    def _learn(self, decisions: float) -> dict[str, float]:
        """Make the updates that an episode of so many decisions is due."""
        if self.done.steps < self._config.warm_up_steps:
            return {}
        values = self._studies.learn(decisions)
        self.done.updates = self._studies.updates
        return values

    def validate(self) -> dict[str, float]:
        """Return success and size of the corrections on tuning seeds, without exploration."""
        agent = self.agent
        decide: Callable[[Array], Array] = (lambda _: np.zeros(6)) if agent is None else agent.correction
        seeds = range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + self._config.validate_episodes)
        episodes = [self._practice.episode(seed, decide) for seed in seeds]
        return {
            "success": float(np.mean([episode.outcome.success for episode in episodes])),
            "size": float(np.mean([np.abs(episode.transitions.correction).mean() for episode in episodes])),
            "episode_s": float(np.mean([episode.outcome.parts["episode_s"] for episode in episodes])),
        }

    def _save(self, path: Path) -> None:
        state: dict[str, Any] = {"identity": self._identity, "progress": json.dumps(asdict(self.done)), "replay": self._replay.state()}
        state |= self._studies.state()
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)

    def _resume(self, path: Path) -> None:
        if not path.is_file():
            return
        state = torch.load(path, weights_only=True)
        if state["identity"] != self._identity:
            raise ConfigError(
                f"{path}: a checkpoint of another training: got {state['identity']}, expected {self._identity}. "
                "Delete it to start anew, or go back to its configuration and data."
            )
        self.done = Progressed(**json.loads(state["progress"]))
        self._replay.restore(state["replay"])
        self._studies.restore(state, self.done.updates)


def limits_of(config: ResidualConfig) -> Array:
    """Return the largest correction (6,), see `ResidualSpec`."""
    return spec_of(config).limits


def exploration_of(config: ResidualConfig, steps: int) -> ExplorationSpec:
    """Return what is to be tried after so many decisions: in the warm-up everything within the limits, later what lies near."""
    return ExplorationSpec(1.0 if steps < config.warm_up_steps else config.noise, config.noise_time_s)


def spec_of(config: ResidualConfig) -> ResidualSpec:
    """Return what the card says of a residual."""
    return ResidualSpec(config.dt_s, config.limit_m, config.limit_rad, axes=config.axes)


def train_residual(
    practice: Practice, base: Path, robot: RobotDescription, data_dir: Path, work_dir: Path, bundle_dir: Path, config: TrainConfig
) -> Progressed:
    """Train on `practice` and the demonstrations in `data_dir`, on top of the bundle `base`, and export both to `bundle_dir`.

    Checkpoint, log (`residual.jsonl`, and for TensorBoard) are kept in `work_dir`; a second call goes on where the first one stopped.
    Raises ConfigError, DataError or BundleError.
    """
    torch.set_num_threads(config.threads)
    bundle, spec = Bundle.load(base), spec_of(config.residual)
    demonstrations = replayed(demonstrated(data_dir, bundle, make_fast_policy(bundle, robot), config.residual), config.residual)
    training = ResidualTraining(practice, demonstrations, config.residual, config.seed, {"base": fingerprint(bundle)})
    done = training.run(work_dir)
    if training.agent is None or training.normaliser is None:
        raise ConfigError(
            f"residual.steps is {config.residual.steps}, no more than the warm-up's {config.residual.warm_up_steps}: raise it."
        )
    provenance = {
        "environment_steps": done.steps, "episodes": done.episodes, "updates": done.updates, "duration_s": round(done.spent_s),
        "validations": done.validations, **asdict(config.residual),
    }  # fmt: skip
    export_residual(base, bundle_dir.name, training.agent.actor, training.normaliser, spec, bundle_dir, provenance)
    return done


def fingerprint(bundle: Bundle) -> dict[str, str]:
    """Return what tells a base from others: the hash of each graph."""
    return {name: graph.sha256 for name, graph in bundle.card.graphs.items()}
