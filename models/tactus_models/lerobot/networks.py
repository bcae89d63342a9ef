"""A checkpoint → the graphs of a bundle, as modules: `encoder`, and `denoiser` or `planner`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from tactus_core.errors import DataError
from tactus_models.lerobot.act import Act
from tactus_models.lerobot.checkpoint import Checkpoint
from tactus_models.lerobot.config import ActConfig, DiffusionConfig
from tactus_models.lerobot.images import Preparation
from tactus_models.lerobot.unet import RgbEncoder, UNet

# What only training needs: the VAE encoder of `act`, and how often a BatchNorm was updated.
_UNUSED = ("vae_encoder", "num_batches_tracked")


class DiffusionEncoder(nn.Module):
    """All images of all times → features (1, F): for each time, oldest first, those of each camera."""

    def __init__(self, config: DiffusionConfig, checkpoint: Checkpoint, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self._preparations = nn.ModuleList(
            Preparation(shape, checkpoint.normalisers[key], config.resize_shape, config.crop)
            for key, shape in checkpoint.features.images.items()
        )
        self._networks = nn.ModuleList(networks)

    def forward(self, *images: Tensor) -> Tensor:
        """Return features of uint8 images, one (1, times, H, W, 3) for each camera; (1, H, W, 3) where there is one of each."""
        found = []
        for index, (image, prepare) in enumerate(zip(images, self._preparations, strict=True)):
            found.append(self._networks[index % len(self._networks)](prepare(image.reshape(-1, *image.shape[-3:]))))
        return torch.cat(found, dim=-1).flatten()[None]


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
        _fill({"model": act}, checkpoint.weights, folder)
        return act.feature_size, {"encoder": ActEncoder(act, checkpoint).eval(), "planner": ActPlanner(act).eval()}
    seen = config.crop or config.resize_shape or next(iter(features.images.values()))
    per_time = len(features.images) * 2 * config.spatial_softmax_num_keypoints
    separate = config.use_separate_rgb_encoder_per_camera
    with torch.device("meta"):
        unet = UNet(config, features.action, config.n_obs_steps * (sum(state) + per_time))
        encoders = [RgbEncoder(config, seen) for _ in range(len(features.images) if separate else 1)]
    names = [f"diffusion.rgb_encoder.{index}" if separate else "diffusion.rgb_encoder" for index in range(len(encoders))]
    weights = {_torchvision(name): values for name, values in checkpoint.weights.items()}
    _fill({"diffusion.unet": unet, **dict(zip(names, encoders, strict=True))}, weights, folder)
    _reorder(unet, config, state, per_time)
    encoder = DiffusionEncoder(config, checkpoint, encoders)
    return config.n_obs_steps * per_time, {"encoder": encoder.eval(), "denoiser": unet.eval()}


def _torchvision(name: str) -> str:
    """Return the name of a weight with ResNet's parts called by name: LeRobot's `diffusion` numbers them."""
    head, found, tail = name.partition(".backbone.")
    if not found:
        return name
    number, _, rest = tail.partition(".")
    part = {"0": "conv1", "1": "bn1"}.get(number) or f"layer{int(number) - 3}" if number.isdigit() else number
    return f"{head}.backbone.{part}.{rest}"


def _fill(parts: Mapping[str, nn.Module], weights: Mapping[str, Tensor], folder: Path) -> None:
    """Load every weight of every part, and see to it that none is left over or missing."""
    wanted = {f"{prefix}.{name}": values for prefix, part in parts.items() for name, values in part.state_dict().items()}
    wanted = {name: values for name, values in wanted.items() if not name.endswith(_UNUSED[1])}
    given = {name: values for name, values in weights.items() if not any(unused in name for unused in _UNUSED)}
    problems = [f"lacks '{name}'" for name in sorted(wanted.keys() - given.keys())]
    problems += [f"has '{name}', which the configuration has no place for" for name in sorted(given.keys() - wanted.keys())]
    problems += [
        f"'{name}' has shape {tuple(given[name].shape)}, the configuration wants {tuple(wanted[name].shape)}"
        for name in sorted(wanted.keys() & given.keys())
        if given[name].shape != wanted[name].shape
    ]
    if problems:
        raise DataError(
            f"{folder / 'model.safetensors'} does not fit config.json: {problems[0]} ({len(problems)} such). Copy both from one checkpoint."
        )
    for prefix, part in parts.items():
        own = {name: given.get(f"{prefix}.{name}", torch.zeros(())) for name in part.state_dict()}  # zero: how often BatchNorm was updated
        part.load_state_dict(own, assign=True)


def _reorder(unet: UNet, config: DiffusionConfig, state: Sequence[int], features: int) -> None:
    """Let the U-Net take all features, then each signal of the state, time after time: LeRobot has, for each time, state and features."""
    theirs = torch.arange(config.n_obs_steps * (sum(state) + features)).reshape(config.n_obs_steps, -1)
    *signals, seen = theirs.split([*state, features], dim=1)
    order = torch.cat([part.flatten() for part in (seen, *signals)])
    step = config.diffusion_step_embed_dim
    for name, weight in unet.named_parameters():
        if name.endswith("cond_encoder.1.weight"):
            weight.data = torch.cat([weight.data[:, :step], weight.data[:, step + order]], dim=1)
