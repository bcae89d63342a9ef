"""The asymmetric tokenizer of Reactive Diffusion Policy (RSS 2025, arXiv 2503.02881).

The encoder sees the action chunk alone; the decoder sees the latent and touch. What touch can tell must come from touch: at run time a
disturbance that is still to come is in nobody's latent. Two things see to that. The KL term makes every nat of the latent cost something,
and the encoder is shown chunks with a false, random shift along the normal and a false tilt, so that its word on these is worthless.
"""

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tactus_core.policy.bundle import Normaliser
from tactus_models import normalise
from tactus_models.config import TokenizerConfig, TrainConfig
from tactus_models.dataset import Dataset, in_ticks
from tactus_models.layout import ACTION_SIZE, WINDOW_SIZE
from tactus_models.loop import Dice

DOWNSAMPLING = 4
RAMP_S = 0.25


class FastHead(nn.Module):
    """The decoder, which is what is exported of the tokenizer; everything normalised but the latent, which has unit prior."""

    def __init__(self, latent_shape: tuple[int, int], condition_channels: int, hidden: int) -> None:
        super().__init__()
        steps, channels = latent_shape
        self.post_quant = nn.Conv1d(channels, condition_channels, 1)
        self.gru = nn.GRU(steps * condition_channels + WINDOW_SIZE, hidden, batch_first=True)
        self.head = nn.Linear(hidden, ACTION_SIZE)

    def decode(self, latent: Tensor, window: Tensor) -> Tensor:
        """Return the normalised action (B, n, 10) at every row of a normalised window (B, n, 14)."""
        condition = self.post_quant(latent.transpose(1, 2)).flatten(1)
        rows = condition[:, None].expand(-1, window.shape[1], -1)
        hidden, _ = self.gru(torch.cat([rows, window], dim=-1))
        return self.head(hidden)

    def forward(self, latent: Tensor, window: Tensor) -> Tensor:
        """Return the action (1, 10) at the window's last row."""
        return self.decode(latent, window)[:, -1]


class Tokenizer(nn.Module):
    """Variational tokenizer: what makes a latent of a chunk, and the fast head."""

    def __init__(self, config: TokenizerConfig, chunk_steps: int) -> None:
        super().__init__()
        self.latent_shape = (chunk_steps // DOWNSAMPLING, config.latent_channels)
        self.encoder = nn.Sequential(
            nn.Conv1d(ACTION_SIZE, config.hidden, 5, stride=2, padding=2),
            nn.ELU(),
            nn.Conv1d(config.hidden, config.hidden, 5, stride=2, padding=2),
            nn.ELU(),
            nn.Conv1d(config.hidden, 2 * config.latent_channels, 1),
        )
        self.fast = FastHead(self.latent_shape, config.condition_channels, config.gru_hidden)

    def encode(self, chunk: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, (B, steps, channels) each, of a normalised chunk (B, chunk_steps, 10)."""
        mean, log_variance = self.encoder(chunk.transpose(1, 2)).transpose(1, 2).chunk(2, dim=-1)
        return mean, log_variance.clamp(-20.0, 5.0)

    def decode(self, latent: Tensor, window: Tensor) -> Tensor:
        """See `FastHead`."""
        return self.fast.decode(latent, window)


def sample_latent(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    """Return one sample of the posterior."""
    return mean + torch.exp(0.5 * log_variance) * torch.randn(mean.shape, generator=generator)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the KL divergence from the unit Gaussian in nats a chunk, averaged over the batch."""
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(dim=(1, 2)).mean()


def falsify(chunk: Tensor, dt_s: float, config: TokenizerConfig, generator: torch.Generator) -> Tensor:
    """Return un-normalised chunks (B, steps, 10) with a random ramp along the anchor's z and about its x and y added.

    A ramp takes `RAMP_S`, like the disturbances in the demonstrations, and begins anywhere from before the chunk to its end.
    Tilts are added to first order: they are noise, and small.
    """
    batch, steps, _ = chunk.shape
    time_s = torch.arange(steps) * dt_s
    start_s = torch.rand(batch, 1, generator=generator) * (steps * dt_s + 2 * RAMP_S) - 2 * RAMP_S
    ramp = ((time_s - start_s) / RAMP_S).clamp(0.0, 1.0)
    size = torch.randn(batch, 3, generator=generator) * torch.tensor([config.disturbance_m, config.disturbance_rad, config.disturbance_rad])
    dz, rx, ry = (ramp[:, :, None] * size[:, None]).unbind(-1)
    tilt = torch.stack([rx, ry, torch.zeros_like(rx)], dim=-1)
    out = chunk.clone()
    out[..., 2] += dz
    for column in (slice(3, 6), slice(6, 9)):
        out[..., column] += torch.linalg.cross(tilt, chunk[..., column])
    return out


@dataclass(frozen=True)
class Rows:
    """What a fast head is fitted on: the rows of windows, every `stride` ticks, and their labels, normalised."""

    data: Dataset
    action: Normaliser
    window: Normaliser
    stride: int

    def drawn(self, index: NDArray[np.int64], dice: Dice) -> tuple[Tensor, Tensor, Tensor]:
        """Return `at` a random phase of the grid."""
        return self.at(index, int(dice.numpy.integers(self.stride)))

    def at(self, index: NDArray[np.int64], phase: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        """Return window (B,n,14), label (B,n,10), and which rows were felt (B,n), from `phase` ticks after the anchor on."""
        window = self.window.normalise(self.data.window[index, phase :: self.stride])
        label = self.action.normalise(self.data.label[index, phase :: self.stride])
        return torch.from_numpy(window), torch.from_numpy(label), torch.from_numpy(_felt(self.data, index, phase, self.stride))


def felt_l1(action: Tensor, label: Tensor, felt: Tensor) -> Tensor:
    """Return the mean error over the rows that were felt."""
    return ((action - label).abs().mean(dim=-1) * felt).sum() / felt.sum()


class TokenizerStage:
    """Trains a `Tokenizer`; see `loop.Stage`."""

    name = "tokenizer"

    def __init__(self, data: Dataset, config: TrainConfig) -> None:
        torch.manual_seed(config.seed)
        self.module = Tokenizer(config.tokenizer, config.data.chunk_steps)
        self.steps, self.learning_rate = config.tokenizer.steps, config.tokenizer.learning_rate
        self.identity: Mapping[str, Any] = {"data": data.digest, "seed": config.seed, **asdict(config.tokenizer)}
        self._data, self._config = data, config
        self.train, self._held = data.split(config.data.held_out)
        stride = in_ticks(config.data.window_dt_s)
        self.action = normalise.min_max(np.concatenate([data.chunk[self.train].reshape(-1, ACTION_SIZE), _label_rows(data, self.train)]))
        self.window = normalise.standard(data.window[self.train, ::stride][_felt(data, self.train, 0, stride)])
        self.rows = Rows(data, self.action, self.window, stride)

    def further(self, more: Dataset, trained: Tokenizer) -> "TokenizerStage":
        """Return the stage that fits the fast head anew on `more` demonstrations.

        The encoder stands still, and with it what a latent means: a slow policy that was trained on it stays valid.
        """
        stage = copy.copy(self)
        stage.name = "head"
        stage.module = copy.deepcopy(trained).requires_grad_(True)
        stage.module.encoder.requires_grad_(False)
        stage.steps, stage.learning_rate = self._config.tokenizer.further_steps, self._config.tokenizer.further_learning_rate
        stage.identity = {"more": more.digest, **self.identity}
        stage._data, stage.rows = more, replace(self.rows, data=more)
        stage.train, stage._held = more.split(self._config.data.held_out)
        return stage

    def losses(self, dice: Dice) -> dict[str, Tensor]:
        """Reconstruct every row of the window from a sampled latent of a falsified chunk."""
        config = self._config.tokenizer
        index = dice.numpy.choice(self.train, config.batch)
        window, label, felt = self.rows.drawn(index, dice)
        false = falsify(torch.from_numpy(self._data.chunk[index]), self._config.data.chunk_dt_s, config, dice.torch)
        mean, log_variance = self.module.encode(normalised(false, self.action))
        action = self.module.decode(sample_latent(mean, log_variance, dice.torch), window)
        l1 = felt_l1(action, label, felt)
        kl = kl_divergence(mean, log_variance)
        return {"loss": l1 + config.kl_weight * kl, "l1": l1, "kl": kl}

    @torch.no_grad()
    def validate(self, module: Tokenizer) -> dict[str, float]:
        """Return errors [mm, deg] with the chunk's own latent, with one of a chunk disturbed otherwise, and with a sample of the prior.

        `normal_mm_prior` near `normal_mm` says that the normal direction is steered by touch; `tangential_mm_prior` must be far larger.
        """
        index = self._held[:: max(1, len(self._held) // 512)]
        window, label, felt = self.rows.at(index)
        chunk = torch.from_numpy(self._data.chunk[index])
        dice = Dice.of(self._config.seed, 0)
        false = falsify(chunk, self._config.data.chunk_dt_s, self._config.tokenizer, dice.torch)
        mean, log_variance = module.encode(normalised(chunk, self.action))
        latents = {
            "": sample_latent(mean, log_variance, dice.torch),
            "_mean": mean,
            "_false": module.encode(normalised(false, self.action))[0],
            "_prior": torch.randn(mean.shape, generator=dice.torch),
        }
        metrics = {"kl": float(kl_divergence(mean, log_variance))}
        for name, latent in latents.items():
            error = ((module.decode(latent, window) - label).abs() * torch.from_numpy(self.action.scale))[felt]
            metrics[f"tangential_mm{name}"] = float(error[:, :2].mean()) * 1e3
            metrics[f"normal_mm{name}"] = float(error[:, 2].mean()) * 1e3
            # The z components of the columns of R are, to first order, the tilts about y and x.
            metrics[f"tilt_deg{name}"] = float(torch.rad2deg(error[:, [5, 8]].mean()))
        return metrics


def normalised(values: Tensor, normaliser: Normaliser) -> Tensor:
    """Return a tensor normalised."""
    return (values - torch.from_numpy(normaliser.offset)) / torch.from_numpy(normaliser.scale)


def _felt(data: Dataset, index: NDArray[np.int64], phase: int, stride: int) -> NDArray[np.bool_]:
    """Return (B, n): which rows of the window lie before the episode's end."""
    return np.arange(phase, data.window.shape[1], stride) < data.rows[index, None]


def _label_rows(data: Dataset, index: NDArray[np.int64]) -> NDArray[np.float32]:
    return data.label[index, ::10].reshape(-1, ACTION_SIZE)
