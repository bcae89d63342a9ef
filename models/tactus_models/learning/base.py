"""A base that learns from corrections by imitation: what the human did where the policy led to is added to the demonstrations.

DAgger (Ross et al. 2011), with a human who decides when to correct (Kelly et al. 2019, HG-DAgger). Labels are executed actions from where
a human had control; what follows the hand-back within a chunk is what the policy then did.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from torch import nn

from tactus_core.errors import ConfigError
from tactus_core.learning.transitions import Experience, Transitions
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import Card
from tactus_core.types import ChunkKind
from tactus_models.config import DataConfig, DiffusionConfig, LearnConfig, TrainConfig
from tactus_models.dataset import Dataset, prepare
from tactus_models.diffusion import ActionTarget, DiffusionStage
from tactus_models.export import commit, write_bundle
from tactus_models.learning.head import Head
from tactus_models.learning.learner import no_other
from tactus_models.loop import Stage, fit
from tactus_models.residual.train import fingerprint
from tactus_models.restored import restored

_ENDLESS = 1e5  # minutes


class Part(Protocol):
    """What of a base is fitted, how, and what is exported then. demonstrated: it is fitted to demonstrations, too."""

    demonstrated: bool

    @property
    def module(self) -> nn.Module:
        """Whose weights are fitted."""
        ...

    @property
    def diffusion(self) -> DiffusionConfig:
        """Of what plans."""
        ...

    def stage(self, data: Dataset, seed: int) -> Stage[Any]:
        """Return how `module` is fitted to samples."""
        ...

    def networks(self) -> Mapping[str, nn.Module | Path]:
        """Return all networks of the bundle, by the names of their graphs."""
        ...


class Planner:
    """Implements `Part`: of a base that plans actions, all that plans."""

    demonstrated = True

    def __init__(self, folder: Path, bundle: Bundle, data: DataConfig, config: LearnConfig) -> None:
        self.module, self.diffusion = restored(folder, bundle)
        self._bundle, self._data, self._config = bundle, data, config

    def stage(self, data: Dataset, seed: int) -> DiffusionStage:
        """See `Part`."""
        normalisers = self._bundle.normalisers
        stage = DiffusionStage(data, ActionTarget(data, normalisers["action"]), TrainConfig(self._data, diffusion=self.diffusion))
        stage.normalisers = {"low_dim": normalisers["low_dim"]}
        stage.module.load_state_dict(self.module.state_dict())
        stage.steps, stage.learning_rate = self._config.fit_steps, self._config.fit_learning_rate
        return stage

    def networks(self) -> dict[str, nn.Module]:
        """See `Part`."""
        return {"encoder": self.module.encoder, "denoiser": self.module.generator}


class BaseLearner:
    """Implements `Learner`. data: demonstrations; work: where samples and fits are kept."""

    def __init__(self, base: Path, data: Path, experience: Experience, work: Path, config: LearnConfig, seed: int) -> None:
        """Begin with the base's own weights, which its bundle holds."""
        self._bundle = Bundle.load(base)
        card = self._bundle.card
        latency = {f"{name}_latency_s": group.latency_s for name, group in card.groups.items()}
        grid = {} if card.latent is None else {"window_dt_s": card.latent.window_dt_s}
        self._samples = DataConfig(chunk_steps=card.chunk.steps, chunk_dt_s=card.chunk.dt_s, **grid, **latency)
        kind: type[Planner | Head] = Planner
        if card.kind is not ChunkKind.ACTION:  # in a chunk of actions each has its own time; what a fast head says is of so much later
            kind, self._samples = Head, replace(self._samples, arm_latency_s=config.ahead_s)
        self._part: Part = kind(base, self._bundle, self._samples, config)
        self._data, self._experience, self._work, self._config, self._seed = data, experience, work, config, seed
        self._waiting = self._fits = 0
        self._identity = json.dumps({"seed": seed, "base": fingerprint(self._bundle), **asdict(replace(config, threads=1))}, sort_keys=True)

    def take(self, episode: Transitions) -> dict[str, float]:
        """See `Learner`; it learns anew whenever enough was corrected."""
        if self._experience.seen(episode.episode).is_file():
            self._waiting += episode.interventions
        if self._waiting < self._config.fit_every:
            return {}
        self._waiting = 0
        return self._fit()

    def _fit(self) -> dict[str, float]:
        corrected = data = prepare(self._experience.seen(0).parent, self._work / "corrected", self._samples)
        if self._part.demonstrated:
            data = joined(prepare(self._data, self._work / "samples", self._samples), corrected)
        stage = self._part.stage(data, self._seed + self._fits)
        stage.identity = {**stage.identity, "base": self._bundle.card.id, "fit": self._fits, "steps": stage.steps}
        result = fit(stage, self._work / f"fit-{self._fits}", self._seed + self._fits, _ENDLESS)
        self._part.module.load_state_dict(result.module.state_dict())
        self._fits += 1
        return {"fits": float(self._fits), "corrected_samples": float(len(corrected.seed)), **result.metrics}

    def write(self, folder: Path, version: str, explore: bool) -> Card:
        """See `Learner`."""
        if explore:
            raise ConfigError("a base tries nothing of its own: dagger learns from what a human does. Leave --explore out.")
        card = self._bundle.card
        learnt = {"fits": self._fits, "seed": self._seed, **asdict(self._config), "base": {"bundle": card.id, **card.training}}
        draft = replace(card, version=version, training={"commit": commit(), "corrections": learnt, **_networks(card)})
        return write_bundle(draft, self._part.diffusion.features, self._part.networks(), self._bundle.normalisers, folder)

    def state(self) -> dict[str, Any]:
        """See `Learner`."""
        return {"identity": self._identity, "policy": self._part.module.state_dict(), "waiting": self._waiting, "fits": self._fits}

    def restore(self, state: dict[str, Any]) -> None:
        """See `Learner`."""
        if state["identity"] != self._identity:
            raise ConfigError(no_other("state", state["identity"], self._identity))
        self._part.module.load_state_dict(state["policy"])
        self._waiting, self._fits = state["waiting"], state["fits"]


def _networks(card: Card) -> dict[str, Any]:
    """Return what a card's training says of its networks, so that the next version can be trained further, too."""
    return {name: value for name, value in card.training.items() if name in TrainConfig().diffusion.__dataclass_fields__}


def joined(shown: Dataset, corrected: Dataset) -> Dataset:
    """Return both, corrections repeated until they are about half."""
    times = max(1, len(shown.seed) // max(len(corrected.seed), 1))
    # A base that observes encoders which stand alone cannot be restored: these see.
    names = [name for name in Dataset.__dataclass_fields__ if name not in ("digest", "encoders", "encoded")]
    parts: dict[str, Any] = {name: np.concatenate([getattr(shown, name), *[getattr(corrected, name)] * times]) for name in names}
    return Dataset(**parts, digest=f"{shown.digest} and {times} times {corrected.digest}")
