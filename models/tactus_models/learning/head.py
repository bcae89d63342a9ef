"""A fast head that is fitted to what a human did: the latent is what the slow policy, which stands still, plans from what was seen.

So no encoder of the tokenizer is needed, which a bundle does not hold. What is planned is not what was done, though: where to wipe next,
say, is for the human to choose. So only what touch decides is learnt, along the axis out of the tool; in all else the head is held to what
it says itself, and a latent goes on meaning what it meant.

The trap: what a human did is all that was executed, so at every tick the target is where the tcp is, plus what force and stiffness
explain. A head that learns this identity corrects nothing (demonstrations carry noise against that). Hence the human's action is learnt
`LearnConfig.ahead_s` late: what was done in the end about what is felt now. And demonstrations are left out: how deep they press is right
for the arm that they were given with, which nothing tells apart from this one.
"""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn

from tactus_core.policy.bundle import Bundle
from tactus_models.config import DataConfig, LearnConfig
from tactus_models.dataset import Dataset, in_ticks
from tactus_models.layout import LOW_DIM_SIZE
from tactus_models.loop import Dice
from tactus_models.objectives import OBJECTIVES
from tactus_models.restored import restored, restored_head
from tactus_models.tokenizer import FastHead, Rows, felt_l1

BATCH = 128
_ALONG = 2  # of an action: the position along the axis out of the tool, as it stood at the anchor


class HeadStage:
    """Fits a `FastHead`; see `loop.Stage`. latent: (N, T, C) of each sample. own: what else it says.

    Nothing is held out: corrections are few.
    """

    name = "head"

    def __init__(self, rows: Rows, latent: Tensor, head: FastHead, own: FastHead, config: LearnConfig) -> None:
        self.module, self._own, self.steps, self.learning_rate = head, own, config.head_steps, config.head_learning_rate
        self.identity: Mapping[str, Any] = {"data": rows.data.digest}
        self._rows, self._latent = rows, latent

    def losses(self, dice: Dice) -> dict[str, Tensor]:
        """Reconstruct every row of the window."""
        index = dice.numpy.choice(len(self._latent), BATCH)
        window, label, felt = self._rows.drawn(index, dice)
        with torch.no_grad():
            wanted = self._own.decode(self._latent[index], window)
        wanted[..., _ALONG] = label[..., _ALONG]
        return {"loss": felt_l1(self.module.decode(self._latent[index], window), wanted, felt)}

    @torch.no_grad()
    def validate(self, module: FastHead) -> dict[str, float]:
        """Return the error [mm] of what is learnt, and how far all else went [mm] from what it was (the anchor's axes)."""
        index = np.arange(0, len(self._latent), max(1, len(self._latent) // 512))
        window, label, felt = self._rows.at(index)
        said, before = (head.decode(self._latent[index], window) for head in (module, self._own))
        error, moved = (((said - other).abs() * torch.from_numpy(self._rows.action.scale))[felt] for other in (label, before))
        return {"along_mm": float(error[:, _ALONG].mean()) * 1e3, "across_mm": float(moved[:, :_ALONG].mean()) * 1e3}


class Head:
    """Implements `Part`: of a base that plans latents, its fast head."""

    demonstrated = False

    def __init__(self, folder: Path, bundle: Bundle, data: DataConfig, config: LearnConfig) -> None:
        self._policy, self.diffusion = restored(folder, bundle)
        self.module = restored_head(folder, bundle)
        self._own = copy.deepcopy(self.module)
        self._folder, self._bundle, self._data, self._config = folder, bundle, data, config

    def stage(self, data: Dataset, seed: int) -> HeadStage:
        """See `Part`."""
        normaliser, stride = self._bundle.normalisers, in_ticks(self._data.window_dt_s)
        rows = Rows(data, normaliser["action"], normaliser["window"], stride)
        return HeadStage(rows, self._latents(data, seed), self.module, self._own, self._config)

    @torch.no_grad()
    def _latents(self, data: Dataset, seed: int) -> Tensor:
        """Return what the slow policy plans (N, T, C) from each sample's observation."""
        objective = OBJECTIVES[self.diffusion.policy](self.diffusion, self.diffusion.features + LOW_DIM_SIZE)
        normaliser, shape, planned = self._bundle.normalisers, self._bundle.card.sample_shape, []
        batches: list[NDArray[np.int64]] = np.array_split(np.arange(len(data.seed)), max(1, len(data.seed) // BATCH))
        for number, index in enumerate(track(batches, description="planning what was seen")):
            numbers = torch.from_numpy(normaliser["low_dim"].normalise(data.low_dim[index]))
            condition = self._policy.condition(torch.from_numpy(np.array(data.image[index])), numbers)
            planned.append(objective.sample(self._policy.generator, condition, shape, Dice.of(seed, number)))
        return torch.from_numpy(normaliser["latent"].unnormalise(np.concatenate(planned)))

    def networks(self) -> dict[str, nn.Module | Path]:
        """See `Part`."""
        stay = {name: self._folder / self._bundle.card.graphs[name].file for name in ("encoder", "denoiser")}
        return {**stay, "fast_head": self.module}
