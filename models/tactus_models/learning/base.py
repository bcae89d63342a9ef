"""A base that learns from corrections by imitation: what the human did where the policy led to is added to the demonstrations.

DAgger (Ross et al. 2011), with a human who decides when to correct (Kelly et al. 2019, HG-DAgger). Labels are executed actions from where
a human had control; what follows the hand-back within a chunk is what the policy then did.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from tactus_core.errors import ConfigError
from tactus_core.learning.transitions import Experience, Transitions
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import Card
from tactus_core.types import ChunkKind
from tactus_models.config import DataConfig, LearnConfig, TrainConfig
from tactus_models.dataset import Dataset, prepare
from tactus_models.diffusion import ActionTarget, DiffusionStage
from tactus_models.export import commit, write_bundle
from tactus_models.learning.learner import no_other
from tactus_models.loop import fit
from tactus_models.residual.train import fingerprint
from tactus_models.restored import restored

_ENDLESS = 1e5  # minutes


class BaseLearner:
    """Implements `Learner`. data: demonstrations; work: where samples and fits are kept."""

    def __init__(self, base: Path, data: Path, experience: Experience, work: Path, config: LearnConfig, seed: int) -> None:
        """Begin with the base's own weights, which its bundle holds."""
        self._bundle = Bundle.load(base)
        card = self._bundle.card
        if card.kind is not ChunkKind.ACTION:
            raise ConfigError(
                f"bundle '{card.id}' plans latents, and what makes latents of corrections is not in it: expected action chunks. Choose "
                "another base, or a method that learns a residual."
            )
        self._policy, diffusion = restored(base, self._bundle)
        latency = {f"{name}_latency_s": group.latency_s for name, group in card.groups.items()}
        self._training = TrainConfig(DataConfig(chunk_steps=card.chunk.steps, chunk_dt_s=card.chunk.dt_s, **latency), diffusion=diffusion)
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
        config, training = self._config, self._training
        shown = prepare(self._data, self._work / "samples", training.data)
        corrected = prepare(self._experience.seen(0).parent, self._work / "corrected", training.data)
        data, card = joined(shown, corrected), self._bundle.card
        stage = DiffusionStage(data, ActionTarget(data, self._bundle.normalisers["action"]), training)
        stage.normalisers = {"low_dim": self._bundle.normalisers["low_dim"]}
        stage.module.load_state_dict(self._policy.state_dict())
        stage.steps, stage.learning_rate = config.fit_steps, config.fit_learning_rate
        stage.identity = {**stage.identity, "base": card.id, "fit": self._fits, "steps": config.fit_steps}
        result = fit(stage, self._work / f"fit-{self._fits}", self._seed + self._fits, _ENDLESS)
        self._policy, self._fits = result.module, self._fits + 1
        return {"fits": float(self._fits), "corrected_samples": float(len(corrected.seed)), **result.metrics}

    def write(self, folder: Path, version: str, explore: bool) -> Card:
        """See `Learner`."""
        if explore:
            raise ConfigError("a base tries nothing of its own: dagger learns from what a human does. Leave --explore out.")
        card = self._bundle.card
        learnt = {"fits": self._fits, "seed": self._seed, **asdict(self._config), "base": {"bundle": card.id, **card.training}}
        draft = replace(card, version=version, training={"commit": commit(), "corrections": learnt, **_networks(card)})
        networks = {"encoder": self._policy.encoder, "denoiser": self._policy.generator}
        return write_bundle(draft, self._training.diffusion.features, networks, self._bundle.normalisers, folder)

    def state(self) -> dict[str, Any]:
        """See `Learner`."""
        return {"identity": self._identity, "policy": self._policy.state_dict(), "waiting": self._waiting, "fits": self._fits}

    def restore(self, state: dict[str, Any]) -> None:
        """See `Learner`."""
        if state["identity"] != self._identity:
            raise ConfigError(no_other("state", state["identity"], self._identity))
        self._policy.load_state_dict(state["policy"])
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
