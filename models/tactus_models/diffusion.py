"""Training of the slow policy: one class, for latents (Reactive Diffusion Policy) and for action chunks, whatever generates them."""

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tactus_core.policy.bundle import Normaliser
from tactus_core.types import ChunkKind
from tactus_models import normalise
from tactus_models.config import TrainConfig
from tactus_models.dataset import Dataset, in_ticks
from tactus_models.images import shifted
from tactus_models.layout import LOW_DIM_SIZE
from tactus_models.loop import Dice
from tactus_models.networks import ImageEncoder
from tactus_models.objectives import OBJECTIVES, Objective
from tactus_models.tokenizer import Tokenizer, TokenizerStage, normalised, sample_latent

HORIZONS_S = (0.2, 0.4, 0.8, 1.2)
# What `DiffusionConfig` says of an encoder that is trained; where one that stands alone is observed there is none.
_SEEING = ("features", "encoder_widths", "shift_px")


class SlowPolicy(nn.Module):
    """Image encoder and what generates, trained together."""

    def __init__(self, encoder: nn.Module, generator: nn.Module) -> None:
        super().__init__()
        self.encoder, self.generator = encoder, generator

    def condition(self, image: Tensor, numbers: Tensor) -> Tensor:
        """Return what generating is conditioned on: features of images (B, H, W, 3), then normalised numbers (B, L+E)."""
        return torch.cat([self.encoder(image), numbers], dim=-1)


class ActionTarget:
    """What the baseline denoises: the normalised action chunk."""

    name, kind = "chunk", ChunkKind.ACTION

    def __init__(self, data: Dataset, action: Normaliser) -> None:
        self.normaliser, self.identity = action, "chunk"
        self.shape = (data.chunk.shape[1], data.chunk.shape[2])
        self._data = data

    def draw(self, index: NDArray[np.int64], dice: Dice) -> Tensor:
        """Return targets (B, T, C) of the samples at `index`."""
        return torch.from_numpy(self.normaliser.normalise(self._data.chunk[index]))

    def position_error_m(self, sample: NDArray[np.float32], index: NDArray[np.int64], at_s: float, config: TrainConfig) -> NDArray[Any]:
        """Return target minus prediction (B, 3) at `at_s` after the observation."""
        entry = round(at_s / config.data.chunk_dt_s)
        return self._data.chunk[index, entry, :3] - self.normaliser.unnormalise(sample)[:, entry, :3]


class LatentTarget:
    """What the latent policy denoises: normalised samples of the frozen tokenizer's posterior."""

    name, kind = "latent", ChunkKind.LATENT

    def __init__(self, data: Dataset, tokenizer: Tokenizer, stage: TokenizerStage) -> None:
        self.shape = tokenizer.latent_shape
        self._stage, self._tokenizer, self._data = stage, tokenizer, data
        with torch.no_grad():
            self._mean, self._log_variance = tokenizer.encode(normalised(torch.from_numpy(np.array(data.chunk)), stage.action))
        weights = hashlib.sha256(b"".join(p.numpy().tobytes() for p in tokenizer.state_dict().values()))
        self.identity = f"latents of tokenizer {weights.hexdigest()}"
        self.normaliser = normalise.quantile(sample_latent(self._mean, self._log_variance, Dice.of(0, 0).torch)[stage.train].numpy())

    def draw(self, index: NDArray[np.int64], dice: Dice) -> Tensor:
        """Return targets (B, T, C) of the samples at `index`."""
        return normalised(sample_latent(self._mean[index], self._log_variance[index], dice.torch), self.normaliser)

    @torch.no_grad()
    def position_error_m(self, sample: NDArray[np.float32], index: NDArray[np.int64], at_s: float, config: TrainConfig) -> NDArray[Any]:
        """Return target minus prediction (B, 3) at `at_s` after the observation, decoded with the recorded window."""
        row = round(at_s / config.data.window_dt_s)
        window, label, _ = self._stage.rows.at(index)
        action = self._tokenizer.decode(torch.from_numpy(self.normaliser.unnormalise(sample)), window[:, : row + 1])
        return ((label[:, row] - action[:, row]).numpy() * self._stage.action.scale)[:, :3]


class DiffusionStage:
    """Trains a `SlowPolicy`; see `loop.Stage`."""

    def __init__(self, data: Dataset, target: ActionTarget | LatentTarget, config: TrainConfig) -> None:
        torch.manual_seed(config.seed)
        policy, self.encoders = config.diffusion.policy, data.encoders
        self.features = 0 if data.encoders else config.diffusion.features
        self.name = "-".join([target.name, *([] if policy == "unet" else [policy]), *(["encoded"] if data.encoders else [])])
        self.objective: Objective = OBJECTIVES[policy](config.diffusion, self.features + LOW_DIM_SIZE + data.encoded.shape[1])
        # Where encoders that stand alone are observed nothing is seen beside them: images (B, 0), and as many features.
        encoder = nn.Identity() if data.encoders else ImageEncoder(config.diffusion.encoder_widths, self.features)
        self.module = SlowPolicy(encoder, self.objective.network(target.shape))
        self.steps, self.learning_rate = config.diffusion.steps, config.diffusion.learning_rate
        network = {name: value for name, value in asdict(config.diffusion).items() if not (data.encoders and name in _SEEING)}
        self.identity: Mapping[str, Any] = {"data": data.digest, "target": target.identity, "seed": config.seed, **network}
        self.target, self._data, self._config = target, data, config
        self._train, self._held = data.split(config.data.held_out)
        self.normalisers = {"low_dim": normalise.standard(data.low_dim[self._train])}
        if data.encoders:
            self.normalisers["encoded"] = normalise.standard(data.encoded[self._train])

    def further(self, more: Dataset, target: ActionTarget, trained: SlowPolicy) -> "DiffusionStage":
        """Return the stage that goes on with `trained` on `more` demonstrations, under the same normalisers."""
        stage = copy.copy(self)
        stage.name = f"{self.name}-further"
        stage.module = copy.deepcopy(trained).requires_grad_(True)
        stage.steps, stage.learning_rate = self._config.diffusion.further_steps, self._config.diffusion.further_learning_rate
        stage.identity = {"more": more.digest, **self.identity}
        stage.target, stage._data = target, more
        stage._train, stage._held = more.split(self._config.data.held_out)
        return stage

    def losses(self, dice: Dice) -> dict[str, Tensor]:
        """Take a batch of images, each with as many targets as the objective draws."""
        draws, index = self.objective.draws, np.sort(dice.numpy.choice(self._train, self._config.diffusion.batch))
        condition = self.module.condition(self._images(index, dice), self._numbers(index)).repeat(draws, 1)
        clean = torch.cat([self.target.draw(index, dice) for _ in range(draws)])
        return self.objective.losses(self.module.generator, clean, condition, dice)

    def _images(self, index: NDArray[np.int64], dice: Dice | None = None) -> Tensor:
        if self.encoders:
            return torch.empty(len(index), 0)
        images = self._data.image[index]
        return torch.from_numpy(images if dice is None else shifted(images, self._config.diffusion.shift_px, dice.numpy))

    def _numbers(self, index: NDArray[np.int64]) -> Tensor:
        parts = [normaliser.normalise(getattr(self._data, name)[index]) for name, normaliser in self.normalisers.items()]
        return torch.from_numpy(np.concatenate(parts, axis=1))

    @torch.no_grad()
    def validate(self, module: SlowPolicy) -> dict[str, float]:
        """Return position errors [mm] of sampled chunks at several horizons, along the board and along its normal (the anchor's axes)."""
        needed = round(max(HORIZONS_S) / self._config.data.chunk_dt_s) * in_ticks(self._config.data.chunk_dt_s)
        whole = self._held[self._data.rows[self._held] > needed]
        index = whole[:: max(1, len(whole) // 256)]
        condition = module.condition(self._images(index), self._numbers(index))
        sample = self.objective.sample(module.generator, condition, self.target.shape, Dice.of(self._config.seed, 0))
        metrics = {}
        for at_s in HORIZONS_S:
            error = self.target.position_error_m(sample, index, at_s, self._config)
            metrics[f"tangential_mm_{at_s}s"] = float(np.linalg.norm(error[:, :2], axis=1).mean()) * 1e3
            metrics[f"normal_mm_{at_s}s"] = float(np.abs(error[:, 2]).mean()) * 1e3
        return metrics
