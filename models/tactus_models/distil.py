"""A trained bundle's plans by another denoiser: a transformer learns to predict of noisy plans what the bundle's own U-Net predicts.

Distillation (Hinton et al. 2015) of the predicted noise. Encoder, fast head and normalisers are the bundle's own files, as they are: what
an image says is computed once, a latent keeps its meaning, and of the demonstrations only what was observed is needed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn

from tactus_core.errors import ConfigError
from tactus_core.policy.bundle import Bundle, Normaliser, find_bundle
from tactus_core.policy.card import Card
from tactus_core.types import ChunkKind
from tactus_models.config import TrainConfig
from tactus_models.dataset import Dataset, provenance
from tactus_models.diffusion import SlowPolicy
from tactus_models.export import commit, write_bundle
from tactus_models.layout import LOW_DIM_SIZE
from tactus_models.loop import Dice, Result, fit
from tactus_models.objectives import TransformerDiffusion
from tactus_models.restored import restored

_AT_ONCE = 512
_VALIDATED = 256


class DistilStage:
    """Trains a transformer by what a bundle's U-Net predicts; see `loop.Stage`."""

    name = "distil"

    def __init__(
        self, teacher: Bundle, policy: SlowPolicy, objective: TransformerDiffusion, rounds: Sequence[Dataset], config: TrainConfig
    ) -> None:
        """Encode all that was observed, and plan from it. policy: the teacher's networks; objective: how its plans are sampled."""
        torch.manual_seed(config.seed)
        self._shape, self._batch, self._seed = teacher.card.sample_shape, config.distil.batch, config.seed
        self._teacher, self._objective = policy.requires_grad_(False).generator, objective
        self.module = objective.network(self._shape)
        self.steps, self.learning_rate = config.distil.steps, config.distil.learning_rate
        self.identity: Mapping[str, Any] = {
            "data": [data.digest for data in rounds],
            "teacher": {name: graph.sha256 for name, graph in teacher.card.graphs.items()},
            "seed": config.seed,
            **asdict(config.distil),
        }
        split = [data.split(config.data.held_out) for data in rounds]
        low_dim = teacher.normalisers["low_dim"]
        shown = [conditions(policy, low_dim, data, train) for data, (train, _) in zip(rounds, split, strict=True)]
        held = [conditions(policy, low_dim, data, thinned(index)) for data, (_, index) in zip(rounds, split, strict=True)]
        self._shown, self._held = torch.cat(shown), torch.cat(held)
        dice = Dice.of(config.seed, 0)
        self._plans = by_parts(
            lambda index: self._planned(self._teacher, self._shown[index], dice), np.arange(len(self._shown)), "planning"
        )

    def losses(self, dice: Dice) -> dict[str, Tensor]:
        """Noise a batch of the teacher's plans, and compare what both predict."""
        index = dice.numpy.choice(len(self._plans), self._batch)
        noisy, level, _ = self._objective.noised(self._plans[index], dice)
        with torch.no_grad():
            expected = self._teacher(noisy, level, self._shown[index])
        return {"loss": nn.functional.mse_loss(self.module(noisy, level, self._shown[index]), expected)}

    @torch.no_grad()
    def validate(self, module: nn.Module) -> dict[str, float]:
        """Return by how much plans from the same noise differ from the teacher's: rms over rms, normalised."""
        ours, theirs = (self._planned(network, self._held, Dice.of(self._seed, 0)) for network in (module, self._teacher))
        return {"plan_difference": float((ours - theirs).square().mean().sqrt() / theirs.square().mean().sqrt())}

    def _planned(self, network: nn.Module, condition: Tensor, dice: Dice) -> Tensor:
        return torch.from_numpy(self._objective.sample(network, condition, self._shape, dice))


def thinned(index: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return as many as a validation takes, evenly spread."""
    return index[:: max(1, len(index) // _VALIDATED)]


def conditions(policy: SlowPolicy, low_dim: Normaliser, data: Dataset, index: NDArray[np.int64]) -> Tensor:
    """Return what a policy plans from (n, D) at the samples `index`, images not shifted."""

    def condition(at: NDArray[np.int64]) -> Tensor:
        return policy.condition(torch.from_numpy(data.image[at]), torch.from_numpy(low_dim.normalise(data.low_dim[at])))

    return by_parts(condition, index, "encoding")


@torch.no_grad()
def by_parts(of: Callable[[NDArray[np.int64]], Tensor], index: NDArray[np.int64], title: str) -> Tensor:
    """Return what `of` gives for all of `index`, asked part by part."""
    parts = np.array_split(index, max(1, len(index) // _AT_ONCE))
    return torch.cat([of(part) for part in track(parts, description=title)])


def distil(rounds: Sequence[Dataset], work_dir: Path, bundle_dir: Path, config: TrainConfig) -> Result[nn.Module]:
    """Train a transformer on what the bundle `config.distil.teacher` says of what `rounds` observed, and write the bundle `bundle_dir`.

    The bundle is of latents, by diffusion with a U-Net that was trained here. Checkpoint and log (`distil.jsonl`) are kept in
    `work_dir`; a second call goes on where the first one stopped. Raises ConfigError or BundleError.
    """
    folder, teacher = find_bundle(config.distil.teacher), Bundle.load(config.distil.teacher)
    card = teacher.card
    if card.kind is not ChunkKind.LATENT or card.task != config.card.task:
        raise ConfigError(
            f"bundle '{card.id}' plans chunks of kind {card.kind} for task '{card.task}'; learnt from are latents for task "
            f"'{config.card.task}'. Choose another teacher, or train a transformer on the demonstrations: --policy transformer."
        )
    policy, diffusion = restored(folder, teacher)
    objective = TransformerDiffusion(replace(diffusion, transformer=config.distil.network), diffusion.features + LOW_DIM_SIZE)
    result = fit(DistilStage(teacher, policy, objective, rounds, config), work_dir, config.seed, config.minutes_diffusion)
    learnt = {**provenance(rounds), "slow_policy": result.provenance, "seed": config.seed, **asdict(config.distil)}
    draft: Card = replace(
        card,
        name=bundle_dir.name,
        version=config.card.version,
        training={"commit": commit(), "distilled": learnt, "base": {"bundle": card.id, **card.training}},
    )
    networks = {name: folder / graph.file for name, graph in card.graphs.items()}
    write_bundle(draft, card.feature_size, {**networks, "denoiser": result.module}, teacher.normalisers, bundle_dir)
    return result
