"""LeRobot's `diffusion`: image network, points of attention, and a 1-D U-Net that is shifted and scaled by what was observed."""

import itertools
import math

import torch
from torch import Tensor, nn

from tactus_models.lerobot.config import DiffusionConfig
from tactus_models.lerobot.resnet import STRIDE, WIDTHS, ResNet, group_norm


class SpatialSoftmax(nn.Module):
    """Maps (B, C, H, W) → points (B, K, 2): the mean place, −1…1, under each of K attention maps (Finn et al. 2016)."""

    pos_grid: Tensor

    def __init__(self, shape: tuple[int, int], points: int) -> None:
        super().__init__()
        self.nets = nn.Conv2d(WIDTHS[-1], points, 1)
        self.register_buffer("pos_grid", torch.zeros(shape[0] * shape[1], 2))  # a part of the weights

    def forward(self, maps: Tensor) -> Tensor:
        """Return points, (x, y) each."""
        return self.nets(maps).flatten(2).softmax(dim=-1) @ self.pos_grid


class RgbEncoder(nn.Module):
    """Prepared images (B, 3, H, W) → features (B, 2 · points)."""

    def __init__(self, config: DiffusionConfig, seen: tuple[int, int]) -> None:
        super().__init__()
        points = config.spatial_softmax_num_keypoints
        self.backbone = ResNet(config.vision_backbone, group_norm if config.use_group_norm else nn.BatchNorm2d)
        self.pool = SpatialSoftmax((math.ceil(seen[0] / STRIDE), math.ceil(seen[1] / STRIDE)), points)
        self.out = nn.Linear(2 * points, 2 * points)

    def forward(self, image: Tensor) -> Tensor:
        """Return features."""
        return torch.relu(self.out(self.pool(self.backbone(image)).flatten(1)))


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

    def __init__(self, inputs: int, outputs: int, condition: int, config: DiffusionConfig) -> None:
        super().__init__()
        self._scales = config.use_film_scale_modulation
        self.conv1 = ConvBlock(inputs, outputs, config.kernel_size, config.n_groups)
        self.cond_encoder = nn.Sequential(nn.Mish(), nn.Linear(condition, outputs * (2 if self._scales else 1)))
        self.conv2 = ConvBlock(outputs, outputs, config.kernel_size, config.n_groups)
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

    def __init__(self, config: DiffusionConfig, actions: int, condition: int) -> None:
        super().__init__()
        size, widths = config.diffusion_step_embed_dim, config.down_dims
        self.diffusion_step_encoder = nn.Sequential(StepEmbedding(size), nn.Linear(size, 4 * size), nn.Mish(), nn.Linear(4 * size, size))

        def block(inputs: int, outputs: int) -> FilmBlock:
            return FilmBlock(inputs, outputs, size + condition, config)

        self.down_modules = nn.ModuleList()
        for level, (inputs, outputs) in enumerate(itertools.pairwise((actions, *widths))):
            shrink = nn.Conv1d(outputs, outputs, 3, 2, 1) if level < len(widths) - 1 else nn.Identity()
            self.down_modules.append(nn.ModuleList([block(inputs, outputs), block(outputs, outputs), shrink]))
        self.mid_modules = nn.ModuleList([block(widths[-1], widths[-1]) for _ in range(2)])
        self.up_modules = nn.ModuleList()
        for outputs, inputs in reversed(list(itertools.pairwise(widths))):
            grow = nn.ConvTranspose1d(outputs, outputs, 4, 2, 1)
            self.up_modules.append(nn.ModuleList([block(2 * inputs, outputs), block(outputs, outputs), grow]))
        # The last block has eight groups, whatever n_groups says: LeRobot leaves it at its default.
        self.final_conv = nn.Sequential(ConvBlock(widths[0], widths[0], config.kernel_size, 8), nn.Conv1d(widths[0], actions, 1))

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
