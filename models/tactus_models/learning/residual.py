"""A residual on a base that stands still, by off-policy reinforcement learning with interventions.

Buffers as in HIL-SERL (Luo et al. 2024): every transition goes to the replay; those of interventions, with what the human did as the
action, to the demonstrations as well; half of each batch is drawn from either. Networks and updates are those of `tactus_models.residual`.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from tactus_core.errors import ConfigError
from tactus_core.learning.transitions import Transitions
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import Card
from tactus_models import normalise
from tactus_models.config import LearnConfig
from tactus_models.learning.learner import no_other
from tactus_models.learning.recipes import Recipe
from tactus_models.residual.demonstrations import Labelled, replayed
from tactus_models.residual.export import export_residual
from tactus_models.residual.networks import Actor
from tactus_models.residual.replay import Replay, proposed
from tactus_models.residual.studies import Studies
from tactus_models.residual.train import LONGEST_EPISODE, exploration_of, fingerprint, limits_of, spec_of
from tactus_models.restored import restored_residual


class ResidualLearner:
    """Implements `Learner`. steps: decisions taken in so far."""

    def __init__(self, base: Path, demonstrations: Sequence[Labelled], recipe: Recipe, config: LearnConfig, seed: int) -> None:
        """Begin with nothing learnt, or with the residual that the bundle `base` has; raises ConfigError for one of other limits."""
        self._base, bundle = base, Bundle.load(base)
        before = bundle.card.residual and replace(bundle.card.residual, exploration=None)
        if before not in (None, spec_of(config.residual)):
            raise ConfigError(
                f"bundle '{bundle.card.id}' has a residual of {before}, the configuration says {spec_of(config.residual)}. "
                "Write the card's into the configuration to go on from it."
            )
        residual, room = config.residual, config.residual.steps + LONGEST_EPISODE
        self._card, self._recipe, self._config = bundle.card, recipe, config
        self._limits, self._seed, self.steps = limits_of(residual), seed, 0
        self._replay = Replay(room, residual)
        self._demonstrations = replayed(demonstrations, residual, recipe.ends_pay, room)
        self._shown = self._demonstrations.size
        self._studies = Studies(self._demonstrations, self._replay, self._limits, residual, seed)
        named = {
            "seed": seed,
            "recipe": recipe.reward.__name__,
            "offline": recipe.offline,
            "base": fingerprint(bundle),
            "shown": self._shown,
        }
        self._identity = json.dumps({**named, **asdict(replace(config, threads=1))}, sort_keys=True)
        if bundle.card.residual is not None:
            self._studies.begin_with(*restored_residual(base, bundle, residual.hidden))
        if recipe.offline:
            self._studies.learn(config.offline_updates / residual.updates_per_step, (self._demonstrations,))

    def take(self, episode: Transitions) -> dict[str, float]:
        """See `Learner`."""
        rows, reward = len(episode), self._recipe.reward(episode)
        if self._replay.size + rows > self._config.residual.steps + LONGEST_EPISODE:
            raise ConfigError(f"residual.steps is {self._config.residual.steps}, and as many decisions were lived. Raise it.")
        action = np.where(episode.intervened[:, None], episode.executed, proposed(episode, self._limits))
        ended = episode.ended and episode.success is not None and not self._recipe.endless
        self._replay.add(episode.observed, action, reward, ended)
        for first, last in stretches(episode.intervened):
            # One row more only follows, where there is one.
            part = slice(first, last + 1)
            self._demonstrations.add(episode.observed[part], action[part], reward[part], ended and last == rows)
        self.steps += rows
        return self._learn(rows)

    def _learn(self, rows: int) -> dict[str, float]:
        if self._recipe.offline:
            return {} if self.steps < self._config.collected_steps else self._studies.learn(rows, (self._replay,))
        return {} if self.steps < self._config.residual.warm_up_steps else self._studies.learn(rows)

    def write(self, folder: Path, version: str, explore: bool) -> Card:
        """See `Learner`; before anything was learnt, the residual says zero, and the base acts alone, or with noise."""
        residual, agent, normaliser = self._config.residual, self._studies.agent, self._studies.normaliser
        actor = Actor(residual.hidden) if agent is None else agent.actor
        known = normaliser or normalise.standard(self._demonstrations.observed)
        learnt = {"decisions": self.steps, "updates": self._studies.updates, "corrected": self._demonstrations.size - self._shown}
        provenance = {**learnt, "seed": self._seed, "reward": self._recipe.reward.__name__, **asdict(self._config)}
        spec = replace(spec_of(residual), exploration=exploration_of(residual, self.steps) if explore else None)
        return export_residual(self._base, self._card.name, actor, known, spec, folder, provenance, version)

    def state(self) -> dict[str, Any]:
        """See `Learner`."""
        told = {"identity": self._identity, "steps": self.steps, "updates": self._studies.updates}
        replays = {"replay": self._replay.state(), "demonstrations": self._demonstrations.state()}
        return {**told, **replays, **self._studies.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """See `Learner`."""
        if state["identity"] != self._identity:
            raise ConfigError(no_other("state", state["identity"], self._identity))
        self.steps = state["steps"]
        self._replay.restore(state["replay"])
        self._demonstrations.restore(state["demonstrations"])
        self._studies.restore(state, state["updates"])


def stretches(intervened: "np.ndarray[Any, np.dtype[np.bool_]]") -> Iterator[tuple[int, int]]:
    """Yield first and one past the last row of each stretch in which a human had control."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], intervened.astype(np.int8), [0]])))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
