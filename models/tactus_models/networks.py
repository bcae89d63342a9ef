"""The slow policy's networks: an image encoder and a denoiser, sized for two CPU cores."""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tactus_models.layout import IMAGE_SHAPE

GROUPS = 8


class ResidualBlock2d(nn.Module):
    """Two 3×3 convolutions with GroupNorm and a shortcut (He et al. 2016); halves the map."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False),
            nn.GroupNorm(GROUPS, outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.GroupNorm(GROUPS, outputs),
        )
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, H/2, W/2)."""
        return torch.relu(self.body(x) + self.shortcut(x))


class ImageEncoder(nn.Module):
    """ResNet-type encoder of 96×96 rgb; the last map is flattened, not averaged, because where a mark lies is what matters."""

    MAP_CHANNELS = 16

    def __init__(self, channels: Sequence[int], features: int) -> None:
        """Take the channels of the stem (24×24) and of each stage, which halves the map, and the length of the features."""
        super().__init__()
        stem, *widths = channels
        side = IMAGE_SHAPE[0] // (4 * 2 ** len(widths))
        stages = [ResidualBlock2d(a, b) for a, b in itertools.pairwise(channels)]
        self.body = nn.Sequential(
            # One stride of four instead of two of two: normalising and pooling a 48×48 map took half of the time.
            nn.Conv2d(3, stem, 7, stride=4, padding=3, bias=False),
            nn.GroupNorm(GROUPS, stem),
            nn.ReLU(),
            *stages,
            nn.Conv2d(widths[-1], self.MAP_CHANNELS, 1),
            nn.Flatten(),
            nn.Linear(self.MAP_CHANNELS * side**2, features),
            nn.LayerNorm(features),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return features (B, F) of uint8 images (B, H, W, 3)."""
        return self.body(image.permute(0, 3, 1, 2).float() / 127.5 - 1.0)


class FilmBlock(nn.Module):
    """Two convolutions along time; the condition scales and shifts between them (Perez et al. 2018)."""

    def __init__(self, inputs: int, outputs: int, condition: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv1d(inputs, outputs, 3, padding=1), nn.GroupNorm(GROUPS, outputs), nn.SiLU())
        self.film = nn.Linear(condition, 2 * outputs)
        self.second = nn.Sequential(nn.Conv1d(outputs, outputs, 3, padding=1), nn.GroupNorm(GROUPS, outputs), nn.SiLU())
        self.shortcut = nn.Conv1d(inputs, outputs, 1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Return (B, outputs, T)."""
        scale, shift = self.film(condition)[:, :, None].chunk(2, dim=1)
        return self.second(self.first(x) * (1.0 + scale) + shift) + self.shortcut(x)


class Denoiser(nn.Module):
    """Conditional 1-D U-Net (Janner et al. 2022; Chi et al. 2023) with one block a level and side."""

    EMBEDDING = 64

    def __init__(self, widths: Sequence[int], channels: int, condition: int) -> None:
        """Take the channels of each level, those of a sample, and the length of the condition."""
        super().__init__()
        width = 2 * self.EMBEDDING
        self.embed_step = nn.Sequential(nn.Linear(self.EMBEDDING, width), nn.SiLU(), nn.Linear(width, width))
        self.embed_condition = nn.Linear(condition, width)
        self.down = nn.ModuleList(FilmBlock(a, b, width) for a, b in itertools.pairwise((channels, *widths)))
        self.shrink = nn.ModuleList(nn.Conv1d(w, w, 3, stride=2, padding=1) for w in widths[:-1])
        self.middle = FilmBlock(widths[-1], widths[-1], width)
        self.grow = nn.ModuleList(nn.ConvTranspose1d(b, a, 4, stride=2, padding=1) for a, b in itertools.pairwise(widths))
        self.up = nn.ModuleList(FilmBlock(2 * w, w, width) for w in widths)
        self.last = nn.Conv1d(widths[0], channels, 1)

    def forward(self, sample: Tensor, timestep: Tensor, condition: Tensor) -> Tensor:
        """Return the noise (B, T, C) in `sample` (B, T, C) at `timestep` (B,), given its condition (B, D)."""
        film = nn.functional.silu(self.embed_step(sinusoids(timestep, self.EMBEDDING)) + self.embed_condition(condition))
        x = sample.transpose(1, 2)
        skips = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else self.shrink[level - 1](x), film)
            skips.append(x)
        x = self.middle(x, film)
        for level in reversed(range(len(self.up))):
            x = self.up[level](torch.cat([x, skips[level]], dim=1), film)
            if level:
                x = self.grow[level - 1](x)
        return self.last(x).transpose(1, 2)


def sinusoids(timestep: Tensor, size: int) -> Tensor:
    """Return the sinusoidal embedding (B, size) of integer steps (B,)."""
    rates = torch.exp(torch.arange(size // 2) * (-math.log(10_000.0) / (size // 2 - 1)))
    phase = timestep[:, None].float() * rates
    return torch.cat([phase.sin(), phase.cos()], dim=-1)
