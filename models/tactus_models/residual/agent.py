"""What learns: an actor, an ensemble of critics that judge whole actions, and their updates (TD3 with REDQ's targets)."""

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tactus_core.policy.bundle import Normaliser
from tactus_core.policy.graphs import TWIST_SIZE
from tactus_core.types import Array
from tactus_models.config import ResidualConfig
from tactus_models.loop import Dice
from tactus_models.residual.networks import Actor, Critics
from tactus_models.residual.replay import Batch

_TARGET_HEADS = 2


class Agent:
    """Networks and optimisers. limits (6,): of the correction, m and rad."""

    def __init__(self, normaliser: Normaliser, limits: Array, config: ResidualConfig, seed: int) -> None:
        torch.manual_seed(seed)
        self.actor, self.critics = Actor(config.hidden), Critics(config.critics, config.hidden)
        self._targets = copy.deepcopy(self.critics).requires_grad_(False)
        self._config = config
        self._offset, self._scale = torch.from_numpy(normaliser.offset), torch.from_numpy(normaliser.scale)
        self._limits = torch.from_numpy(limits.astype(np.float32))
        self._optimisers = {
            "actor": torch.optim.AdamW(self.actor.parameters(), config.actor_learning_rate),
            "critics": torch.optim.AdamW(self.critics.parameters(), config.critic_learning_rate),
        }

    @torch.no_grad()
    def correction(self, observed: Array) -> Array:
        """Return the actor's correction (6,) of an un-normalised observation (82,)."""
        seen = torch.from_numpy(observed.astype(np.float32))[None]
        return self.actor((seen - self._offset) / self._scale)[0].numpy().astype(np.float64)

    def update_critics(self, batch: Batch, dice: Dice) -> dict[str, float]:
        """One step towards the n-step returns; two heads drawn at random make the target, the lower of them counts."""
        config = self._config
        with torch.no_grad():
            following = self._normalised(batch.following)
            drawn = torch.randperm(config.critics, generator=dice.torch)[:_TARGET_HEADS]
            value = self._targets(following, self._corrected(following, self.actor(following)), drawn).amin(dim=0)
            wanted = batch.gain + batch.discount * value
        observed = self._normalised(batch.observed)
        action = (batch.action - self._offset[-TWIST_SIZE:]) / self._scale[-TWIST_SIZE:]
        predicted = self.critics(observed, action)
        loss = (predicted - wanted).square().mean(dim=1).sum()
        self._step("critics", self.critics, loss)
        torch._foreach_lerp_(list(self._targets.parameters()), [p.detach() for p in self.critics.parameters()], config.target_rate)
        return {"critic_loss": float(loss.detach()) / config.critics, "value": float(wanted.mean())}

    def update_actor(self, batch: Batch) -> dict[str, float]:
        """One step towards what the critics, on average, value most."""
        observed = self._normalised(batch.observed)
        correction = self.actor(observed)
        value = self.critics.requires_grad_(False)(observed, self._corrected(observed, correction)).mean()
        self._step("actor", self.actor, -value)
        self.critics.requires_grad_(True)
        return {"actor_value": float(value.detach()), "correction": float(correction.detach().abs().mean())}

    def state(self) -> dict[str, Any]:
        """Return all that learns, for a checkpoint."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to what `state` returned."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        of_optimisers = {f"{name}_optimiser": optimiser for name, optimiser in self._optimisers.items()}
        return {"actor": self.actor, "critics": self.critics, "targets": self._targets, **of_optimisers}

    def _normalised(self, observed: Tensor) -> Tensor:
        return (observed - self._offset) / self._scale

    def _corrected(self, observed: Tensor, correction: Tensor) -> Tensor:
        """Return the whole action, normalised as the base's is in the observation."""
        return observed[:, -TWIST_SIZE:] + correction * self._limits / self._scale[-TWIST_SIZE:]

    def _step(self, name: str, module: nn.Module, loss: Tensor) -> None:
        self._optimisers[name].zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        self._optimisers[name].step()
