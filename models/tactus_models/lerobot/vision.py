"""The image network of LeRobot's `diffusion`: ResNet, and points of attention."""

import math

import torch
from torch import Tensor, nn

from tactus_models.imported.resnet import STRIDE, WIDTHS, ResNet, group_norm
from tactus_models.lerobot.config import DiffusionConfig


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
