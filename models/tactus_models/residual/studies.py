"""An agent and what it learns from: batches of one or two replays, and updates that are functions of (seed, count) alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from tactus_core.policy.bundle import Normaliser
from tactus_core.types import Array
from tactus_models import normalise
from tactus_models.config import ResidualConfig
from tactus_models.loop import Dice
from tactus_models.residual.agent import Agent
from tactus_models.residual.networks import Actor
from tactus_models.residual.replay import Batch, Replay


class Studies:
    """Makes the agent when it first learns: its normaliser is of what was observed until then. updates: of the critics, so far."""

    def __init__(self, demonstrations: Replay, replay: Replay, limits: Array, config: ResidualConfig, seed: int) -> None:
        self._demonstrations, self._replay = demonstrations, replay
        self._limits, self._config, self._seed = limits, config, seed
        self.agent: Agent | None = None
        self.normaliser: Normaliser | None = None
        self.updates = 0

    def begin_with(self, actor: Actor, normaliser: Normaliser) -> None:
        """Go on from an actor that has learnt before, whose observations are normalised so."""
        self._make(normaliser).actor.load_state_dict(actor.state_dict())

    def learn(self, decisions: float, sources: Sequence[Replay] = ()) -> dict[str, float]:
        """Make the updates that so many decisions are due. sources: what batches are drawn from, in equal parts; default: both replays.

        An empty one is left out.
        """
        config, values = self._config, dict[str, float]()
        sources = [of for of in sources or (self._demonstrations, self._replay) if of.size]
        if self.updates == 0:
            decisions += config.warm_up_updates / config.updates_per_step
        agent = self.agent or self._make(normalise.standard(np.concatenate([self._replay.observed, self._demonstrations.observed])))
        for _ in range(int(decisions)):
            for _ in range(config.updates_per_step):
                dice = Dice.of(self._seed, self.updates)
                parts = [of.draw(config.batch // len(sources), dice.numpy) for of in sources]
                batch = Batch(*(torch.cat([getattr(part, name) for part in parts]) for name in Batch.__dataclass_fields__))
                values |= agent.update_critics(batch, dice)
                self.updates += 1
            if self.updates > config.warm_up_updates:
                values |= agent.update_actor(batch)
        return values

    def _make(self, normaliser: Normaliser) -> Agent:
        self.normaliser = normaliser
        self.agent = Agent(normaliser, self._limits, self._config, self._seed)
        return self.agent

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs besides the replays: nothing before it learnt."""
        if self.agent is None or self.normaliser is None:
            return {}
        return {"agent": self.agent.state(), "normaliser": [torch.from_numpy(v) for v in (self.normaliser.offset, self.normaliser.scale)]}

    def restore(self, state: dict[str, Any], updates: int) -> None:
        """Go back to what `state` returned, after so many updates."""
        self.updates = updates
        if "agent" in state:
            self._make(Normaliser(*(values.numpy() for values in state["normaliser"]))).restore(state["agent"])
