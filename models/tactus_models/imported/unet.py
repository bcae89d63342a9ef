"""Diffusion Policy's 1-D U-Net (Chi et al. 2023), shifted and scaled by what was observed: LeRobot's and Reactive Diffusion Policy's."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class UNetShape:
    """Sizes of a U-Net. widths: channels of its levels; embedding: length of the noise level, embedded; scales: the condition does, too."""

    widths: tuple[int, ...]
    taps: int
    groups: int
    embedding: int
    scales: bool


class ConvBlock(nn.Module):
    """Convolution along time, GroupNorm, Mish."""

    def __init__(self, inputs: int, outputs: int, taps: int, groups: int) -> None:
        super().__init__()
        conv = nn.Conv1d(inputs, outputs, taps, padding=taps // 2)
        self.block = nn.Sequential(conv, nn.GroupNorm(groups, outputs), nn.Mish())

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, T)."""
        return self.block(x)


class FilmBlock(nn.Module):
    """Two ConvBlocks and a shortcut; the condition shifts, and may scale, what is between them (Perez et al. 2018)."""

    def __init__(self, inputs: int, outputs: int, condition: int, shape: UNetShape) -> None:
        super().__init__()
        self._scales = shape.scales
        self.conv1 = ConvBlock(inputs, outputs, shape.taps, shape.groups)
        self.cond_encoder = nn.Sequential(nn.Mish(), nn.Linear(condition, outputs * (2 if self._scales else 1)))
        self.conv2 = ConvBlock(outputs, outputs, shape.taps, shape.groups)
        self.residual_conv = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Return (B, outputs, T)."""
        film = self.cond_encoder(condition)[:, :, None]
        y = self.conv1(x)
        if self._scales:
            scale, shift = film.chunk(2, dim=1)
            y = scale * y + shift
        else:
            y = y + film
        return self.conv2(y) + self.residual_conv(x)


class StepEmbedding(nn.Module):
    """Noise levels (B,) → sines and cosines (B, size)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._half = size // 2

    def forward(self, timestep: Tensor) -> Tensor:
        """Return the embedding."""
        rates = torch.exp(torch.arange(self._half) * -(math.log(10_000.0) / (self._half - 1)))
        phase = timestep[:, None] * rates
        return torch.cat([phase.sin(), phase.cos()], dim=-1)


class UNet(nn.Module):
    """Conditional 1-D U-Net with two blocks a level and side, and names of weights as LeRobot's."""

    def __init__(self, shape: UNetShape, actions: int, condition: int) -> None:
        super().__init__()
        self._embedding = size = shape.embedding
        widths = shape.widths
        self.diffusion_step_encoder = nn.Sequential(StepEmbedding(size), nn.Linear(size, 4 * size), nn.Mish(), nn.Linear(4 * size, size))

        def block(inputs: int, outputs: int) -> FilmBlock:
            return FilmBlock(inputs, outputs, size + condition, shape)

        self.down_modules = nn.ModuleList()
        for level, (inputs, outputs) in enumerate(itertools.pairwise((actions, *widths))):
            shrink = nn.Conv1d(outputs, outputs, 3, 2, 1) if level < len(widths) - 1 else nn.Identity()
            self.down_modules.append(nn.ModuleList([block(inputs, outputs), block(outputs, outputs), shrink]))
        self.mid_modules = nn.ModuleList([block(widths[-1], widths[-1]) for _ in range(2)])
        self.up_modules = nn.ModuleList()
        for outputs, inputs in reversed(list(itertools.pairwise(widths))):
            grow = nn.ConvTranspose1d(outputs, outputs, 4, 2, 1)
            self.up_modules.append(nn.ModuleList([block(2 * inputs, outputs), block(outputs, outputs), grow]))
        # The last block has eight groups, whatever `groups` says: LeRobot and Diffusion Policy leave it at its default.
        self.final_conv = nn.Sequential(ConvBlock(widths[0], widths[0], shape.taps, 8), nn.Conv1d(widths[0], actions, 1))

    def forward(self, sample: Tensor, timestep: Tensor, condition: Tensor) -> Tensor:
        """Return what the network predicts (B, T, C) for `sample` (B, T, C) at `timestep` (B,), given `condition` (B, D)."""
        film = torch.cat([self.diffusion_step_encoder(timestep), condition], dim=-1)
        x = sample.transpose(1, 2)
        skips = []
        for level in self.down_modules:
            first, second, shrink = level.children()
            x = second(first(x, film), film)
            skips.append(x)
            x = shrink(x)
        for block in self.mid_modules:
            x = block(x, film)
        for level in self.up_modules:
            first, second, grow = level.children()
            x = grow(second(first(torch.cat([x, skips.pop()], dim=1), film), film))
        return self.final_conv(x).transpose(1, 2)

    def reorder(self, order: Tensor) -> None:
        """Let the condition come in another order: its number i is what was number `order[i]` in training."""
        for name, weight in self.named_parameters():
            if name.endswith("cond_encoder.1.weight"):
                weight.data = torch.cat([weight.data[:, : self._embedding], weight.data[:, self._embedding + order]], dim=1)


def regrouped(sizes: Sequence[int], times: int, parts: Sequence[int]) -> Tensor:
    """Return the order that has each part of what is observed together, time after time, where training had all parts of each time.

    sizes: of the parts in training; parts: their indices in the order wanted. See `UNet.reorder`.
    """
    columns = torch.arange(times * sum(sizes)).reshape(times, -1).split(list(sizes), dim=1)
    return torch.cat([columns[part].flatten() for part in parts])
