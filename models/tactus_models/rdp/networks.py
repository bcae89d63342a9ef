"""The networks of a Reactive Diffusion Policy, with the names of its weights, and as the graphs of a bundle want them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tactus_core.policy.bundle import Normaliser
from tactus_core.policy.signals import felt_size
from tactus_models.encoders.networks import IMAGENET
from tactus_models.imported.files import fill
from tactus_models.imported.images import ImagesEncoder, Preparation
from tactus_models.imported.resnet import AveragedResNet, group_norm
from tactus_models.imported.unet import UNet, regrouped
from tactus_models.rdp.checkpoint import Checkpoint, Field
from tactus_models.rdp.config import RdpConfig


class SignedUNet(nn.Module):
    """A U-Net whose condition comes with these signs (D,). They cannot be put into its weights: what is told passes a Mish first."""

    signs: Tensor

    def __init__(self, unet: UNet, signs: Tensor) -> None:
        super().__init__()
        self.unet = unet
        self.register_buffer("signs", signs)

    def forward(self, sample: Tensor, timestep: Tensor, condition: Tensor) -> Tensor:
        """See `UNet`."""
        return self.unet(sample, timestep, condition * self.signs)


@dataclass(frozen=True)
class Signs:
    """1 or −1 for each number of each signal that is observed, in RDP's order, and of the action.

    −1: the robot's number falls where RDP's grows, as a gripper's joint whose width shrinks.
    """

    observed: Sequence[Tensor]
    action: Tensor


class Recurrence(nn.Module):
    """A GRU over rows, run from zero, and what it says at the last one."""

    def __init__(self, inputs: int, hidden: int, layers: int, outputs: int) -> None:
        super().__init__()
        self.rnn = nn.GRU(inputs, hidden, layers, batch_first=True)
        self.fc = nn.Linear(hidden, outputs)

    def forward(self, rows: Tensor) -> Tensor:
        """Return (B, outputs) of rows (B, n, inputs)."""
        hidden, _ = self.rnn(rows)
        return self.fc(hidden[:, -1])

    def rescale(self, factors: Tensor) -> None:
        """Multiply what is said by `factors` (outputs,)."""
        self.fc.weight.data, self.fc.bias.data = self.fc.weight.data * factors[:, None], self.fc.bias.data * factors


class Decoder(nn.Module):
    """The fast side of the asymmetric tokenizer: a latent and what was felt → the action at the last row."""

    def __init__(self, config: RdpConfig, felt: int) -> None:
        super().__init__()
        rows, channels = config.latent
        self.post_quant = nn.Conv1d(channels, config.token, 1)
        self.decoder = Recurrence(rows * config.token + felt, config.hidden, config.layers, config.action_size)

    def forward(self, latent: Tensor, window: Tensor) -> Tensor:
        """Return the normalised action (1, A) of a latent (1, T, C) and a normalised window (1, n, W)."""
        token = self.post_quant(latent.transpose(1, 2)).transpose(1, 2).flatten(1)
        return self.decoder(torch.cat([token[:, None].expand(-1, window.shape[1], -1), window], dim=-1))


def networks(checkpoint: Checkpoint, signs: Signs, bgr: bool, folder: Path) -> tuple[int, dict[str, nn.Module]]:
    """Return how many features there are, and the modules by the names of their graphs.

    bgr: RDP saw images in OpenCV's order of colours; the graph takes rgb. Raises DataError where the weights are not those of the
    configuration.
    """
    config, sizes = checkpoint.config, [len(sign) for sign in signs.observed]
    features = len(config.images) * AveragedResNet.SIZE
    with torch.device("meta"):  # weights are not made up, only to be replaced
        unet = UNet(config.unet, config.latent[1], config.obs_steps * (features + sum(sizes)))
        keys = ["rgb"] if config.shared else list(config.images)
        cameras = [AveragedResNet(config.backbone, group_norm if config.group_norm else nn.BatchNorm2d) for _ in keys]
        decoder = Decoder(config, felt_size(list(config.touch.values())))
    parts: dict[str, nn.Module] = {"policy.model": unet, "at": decoder}
    parts |= {f"policy.obs_encoder.key_model_map.{key}": camera for key, camera in zip(keys, cameras, strict=True)}
    fill(parts, {_ours(name): values for name, values in checkpoint.weights.items()}, folder)
    # RDP has, for each time, features and then the rest; we all features, then each signal of the rest, time after time.
    unet.reorder(regrouped([features, *sizes], config.obs_steps, range(len(sizes) + 1)))
    told = torch.cat([torch.ones(config.obs_steps * features), *(sign.repeat(config.obs_steps) for sign in signs.observed)])
    decoder.decoder.rescale(config.action_scale * signs.action)
    for camera in cameras if bgr else ():
        camera.conv1.weight.data = camera.conv1.weight.data.flip(1)
    preparations = [_preparation(shape, checkpoint.fields[key], config, bgr) for key, shape in config.images.items()]
    graphs = {"encoder": ImagesEncoder(preparations, cameras), "denoiser": SignedUNet(unet, told), "fast_head": decoder}
    return config.obs_steps * features, {name: module.eval() for name, module in graphs.items()}


def _ours(name: str) -> str:
    """Return the name of a weight with the U-Net's parts called as `imported.unet` does."""
    for theirs, ours in ((".blocks.0.", ".conv1."), (".blocks.1.", ".conv2."), (".2.conv.", ".2.")):
        name = name.replace(theirs, ours)
    return name


def _preparation(shape: tuple[int, int], field: Field, config: RdpConfig, bgr: bool) -> Preparation:
    """Return what an image goes through: RDP's own normaliser, then ImageNet's, the centre of it."""
    mean, deviation = (np.array(of) for of in (IMAGENET if config.imagenet else ((0.0,) * 3, (1.0,) * 3)))
    offset, scale = (mean - field.offset) / field.scale, deviation / field.scale
    if bgr:
        offset, scale = offset[::-1], scale[::-1]
    ratio = config.crop_ratio
    crop = None if ratio is None else (int(shape[0] * ratio), int(shape[1] * ratio))
    return Preparation(shape, Normaliser(offset.astype(np.float32), scale.astype(np.float32)), None, crop)
