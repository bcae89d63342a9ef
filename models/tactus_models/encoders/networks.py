"""What stands before a backbone, and the small networks for clouds and for gels."""

import itertools

import torch
from torch import Tensor, nn

from tactus_models.networks import GROUPS, ResidualBlock2d

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

Colour = tuple[float, float, float]


class Preprocessed(nn.Module):
    """A backbone that takes rgb as cameras give it: resized (or not) and normalised inside the graph. colours: mean and deviation, of 1."""

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: nn.Module, resize: tuple[int, int] | None = None, colours: tuple[Colour, Colour] = IMAGENET) -> None:
        super().__init__()
        self.backbone, self._resize = backbone, resize
        for name, values in zip(("mean", "std"), colours, strict=True):
            self.register_buffer(name, 255.0 * torch.tensor(values).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Return features (B, F) of uint8 images (B, H, W, 3)."""
        x = (image.permute(0, 3, 1, 2).float() - self.mean) / self.std
        if self._resize is not None:
            x = nn.functional.interpolate(x, self._resize, mode="bilinear", align_corners=False)
        return self.backbone(x)


class PointNet(nn.Module):
    """The encoder of DP3 (Ze et al. 2024): one MLP for all points, the maximum over them, a projection."""

    WIDTHS = (64, 128, 256)
    SIZE = 64

    def __init__(self) -> None:
        super().__init__()
        layers = [(nn.Linear(a, b), nn.LayerNorm(b), nn.ReLU()) for a, b in itertools.pairwise((3, *self.WIDTHS))]
        self.mlp = nn.Sequential(*itertools.chain.from_iterable(layers))
        self.final_projection = nn.Sequential(nn.Linear(self.WIDTHS[-1], self.SIZE), nn.LayerNorm(self.SIZE))

    def forward(self, points: Tensor) -> Tensor:
        """Return features (B, 64) of points (B, N, 3)."""
        return self.final_projection(self.mlp(points).max(dim=1).values)


class TouchNet(nn.Module):
    """A small convolutional encoder of a gel's image; the last map is kept as a 4×4 grid, so that where it is pressed is told."""

    WIDTHS = (16, 32, 64)
    SIZE, SIDE, GRID = 32, 128, 4

    def __init__(self) -> None:
        super().__init__()
        stem, *_ = self.WIDTHS
        self.body = nn.Sequential(
            nn.Conv2d(3, stem, 7, stride=4, padding=3, bias=False),
            nn.GroupNorm(GROUPS, stem),
            nn.ReLU(),
            *(ResidualBlock2d(a, b) for a, b in itertools.pairwise(self.WIDTHS)),
            nn.Conv2d(self.WIDTHS[-1], GROUPS, 1),
            nn.AvgPool2d(self.SIDE // 16 // self.GRID),
            nn.Flatten(),
            nn.Linear(GROUPS * self.GRID**2, self.SIZE),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return features (B, 32) of normalised images (B, 3, 128, 128)."""
        return self.body(x)
