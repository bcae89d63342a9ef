"""ResNet-18 (He et al. 2016), with the names of torchvision's weights, so that a state dict saved from there loads as it is."""

from torch import Tensor, nn

CHANNELS_PER_GROUP = 16  # as Diffusion Policy and RDP train it


def _norm(channels: int, batch_norm: bool) -> nn.Module:
    return nn.BatchNorm2d(channels) if batch_norm else nn.GroupNorm(channels // CHANNELS_PER_GROUP, channels)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut, which a stride or other channels turn into a 1×1 convolution."""

    def __init__(self, inputs: int, outputs: int, stride: int, batch_norm: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = _norm(outputs, batch_norm)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = _norm(outputs, batch_norm)
        self.relu = nn.ReLU()
        self.downsample = (
            nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), _norm(outputs, batch_norm))
            if stride != 1 or inputs != outputs
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, H/stride, W/stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))) + shortcut)


class ResNet18(nn.Module):
    """Features (B, 512): the mean over the last map. batch_norm: as in torchvision's own weights; else GroupNorm, as policies train it."""

    SIZE = 512

    def __init__(self, batch_norm: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = _norm(64, batch_norm)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = self._layer(64, 64, 1, batch_norm)
        self.layer2 = self._layer(64, 128, 2, batch_norm)
        self.layer3 = self._layer(128, 256, 2, batch_norm)
        self.layer4 = self._layer(256, self.SIZE, 2, batch_norm)

    @staticmethod
    def _layer(inputs: int, outputs: int, stride: int, batch_norm: bool) -> nn.Sequential:
        return nn.Sequential(BasicBlock(inputs, outputs, stride, batch_norm), BasicBlock(outputs, outputs, 1, batch_norm))

    def forward(self, x: Tensor) -> Tensor:
        """Return features (B, 512) of normalised images (B, 3, H, W)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean(dim=(2, 3))
