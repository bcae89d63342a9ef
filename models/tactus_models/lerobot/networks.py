"""A checkpoint → the graphs of a bundle, as modules: `encoder`, and `denoiser` or `planner`."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from tactus_models.imported.files import fill
from tactus_models.imported.images import ImagesEncoder, Preparation
from tactus_models.imported.unet import UNet, regrouped
from tactus_models.lerobot.act import Act
from tactus_models.lerobot.checkpoint import Checkpoint
from tactus_models.lerobot.config import ActConfig
from tactus_models.lerobot.vision import RgbEncoder


class ActEncoder(nn.Module):
    """One image of each camera → its tokens, flat (1, F)."""

    def __init__(self, act: Act, checkpoint: Checkpoint) -> None:
        super().__init__()
        self._act = act
        self._preparations = nn.ModuleList(
            Preparation(shape, checkpoint.normalisers[key]) for key, shape in checkpoint.features.images.items()
        )

    def forward(self, *images: Tensor) -> Tensor:
        """Return tokens of uint8 images, one (1, 1, H, W, 3) for each camera; (1, H, W, 3) where there is one."""
        prepared = [prepare(image.reshape(-1, *image.shape[-3:])) for image, prepare in zip(images, self._preparations, strict=True)]
        return self._act.see(prepared)


class ActPlanner(nn.Module):
    """Condition (1, D) → normalised chunk (1, T, C)."""

    def __init__(self, act: Act) -> None:
        super().__init__()
        self._act = act

    def forward(self, condition: Tensor) -> Tensor:
        """Return the chunk."""
        return self._act.plan(condition)


def networks(checkpoint: Checkpoint, state: Sequence[int], folder: Path) -> tuple[int, dict[str, nn.Module]]:
    """Return how many features there are, and the modules by the names of their graphs, for a state made of signals of these sizes.

    Raises DataError where the weights are not those of the configuration.
    """
    config, features = checkpoint.config, checkpoint.features
    if isinstance(config, ActConfig):
        with torch.device("meta"):  # weights are not made up, only to be replaced
            act = Act(config, features)
        # The VAE's encoder is needed in training alone.
        fill({"model": act}, {name: values for name, values in checkpoint.weights.items() if "vae_encoder" not in name}, folder)
        return act.feature_size, {"encoder": ActEncoder(act, checkpoint).eval(), "planner": ActPlanner(act).eval()}
    seen = config.crop or config.resize_shape or next(iter(features.images.values()))
    per_time = len(features.images) * 2 * config.spatial_softmax_num_keypoints
    separate = config.use_separate_rgb_encoder_per_camera
    with torch.device("meta"):
        unet = UNet(config.unet, features.action, config.n_obs_steps * (sum(state) + per_time))
        encoders = [RgbEncoder(config, seen) for _ in range(len(features.images) if separate else 1)]
    names = [f"diffusion.rgb_encoder.{index}" if separate else "diffusion.rgb_encoder" for index in range(len(encoders))]
    weights = {_torchvision(name): values for name, values in checkpoint.weights.items()}
    fill({"diffusion.unet": unet, **dict(zip(names, encoders, strict=True))}, weights, folder)
    # LeRobot has, for each time, state and features; we all features, then each signal of the state, time after time.
    unet.reorder(regrouped([*state, per_time], config.n_obs_steps, [len(state), *range(len(state))]))
    preparations = [
        Preparation(shape, checkpoint.normalisers[key], config.resize_shape, config.crop) for key, shape in features.images.items()
    ]
    encoder = ImagesEncoder(preparations, encoders)
    return config.n_obs_steps * per_time, {"encoder": encoder.eval(), "denoiser": unet.eval()}


def _torchvision(name: str) -> str:
    """Return the name of a weight with ResNet's parts called by name: LeRobot's `diffusion` numbers them."""
    head, found, tail = name.partition(".backbone.")
    if not found:
        return name
    number, _, rest = tail.partition(".")
    part = {"0": "conv1", "1": "bn1"}.get(number) or f"layer{int(number) - 3}" if number.isdigit() else number
    return f"{head}.backbone.{part}.{rest}"
