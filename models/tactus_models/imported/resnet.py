"""The convolutional part of ResNet-18 and -34, with torchvision's names of weights."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn

DEPTHS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}
WIDTHS = (64, 64, 128, 256, 512)
STRIDE = 32
Norm = Callable[[int], nn.Module]


def group_norm(channels: int) -> nn.Module:
    """Return the GroupNorm that Diffusion Policy, and LeRobot with it, puts in the place of BatchNorm: 16 channels a group."""
    return nn.GroupNorm(channels // 16, channels)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int, norm: Norm) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = norm(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = norm(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), norm(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, H / stride, W / stride)."""
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """Images (B, 3, H, W) → the last map (B, 512, ⌈H/32⌉, ⌈W/32⌉) (He et al. 2016)."""

    def __init__(self, kind: str, norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 7, 2, 3, bias=False)
        self.bn1 = norm(WIDTHS[0])
        for level, (depth, (inputs, outputs)) in enumerate(zip(DEPTHS[kind], itertools.pairwise(WIDTHS), strict=True), 1):
            first = BasicBlock(inputs, outputs, 1 if level == 1 else 2, norm)
            rest = [BasicBlock(outputs, outputs, 1, norm) for _ in range(depth - 1)]
            self.add_module(f"layer{level}", nn.Sequential(first, *rest))

    def forward(self, image: Tensor) -> Tensor:
        """Return the last map."""
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(image))), 3, 2, 1)
        for level in range(1, len(WIDTHS)):
            x = self.get_submodule(f"layer{level}")(x)
        return x


class AveragedResNet(ResNet):
    """Images (B, 3, H, W) → features (B, 512): the mean over the last map."""

    SIZE = WIDTHS[-1]

    def forward(self, image: Tensor) -> Tensor:
        """Return features."""
        return super().forward(image).mean(dim=(2, 3))
