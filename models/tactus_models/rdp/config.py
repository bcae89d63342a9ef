"""What the configuration of a Reactive Diffusion Policy says of its networks and their use, checked; what is not supported is refused.

Keys as the repository of the paper has them (config/train_latent_diffusion_unet_real_image_workspace.yaml, config/at, config/task).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tactus_core.errors import ConfigError
from tactus_core.policy.specs import DiffusionSpec
from tactus_models.imported.resnet import DEPTHS
from tactus_models.imported.unet import UNetShape
from tactus_models.rdp.unpack import found

INFERENCE_STEPS = 8  # with which RDP is evaluated on a robot; its configuration has the 100 of its training
_STRIDE = 2  # of each convolution of the tokenizer's encoder
_NETWORK, _DECODER = "policy.obs_encoder", "policy.at"
# By how a key ends: signal, and its size.
_OBSERVED = {"robot_tcp_pose": ("tcp_pose", 9), "robot_gripper_width": ("hand_position", 1), "robot_tcp_wrench": ("wrench", 6)}
# What is another network, or another use of it, unless it is just this.
_FIXED: Mapping[str, tuple[Any, ...]] = {
    "n_latency_steps": (0, None),
    "policy.obs_as_global_cond": (True,),
    "policy.noise_scheduler.set_alpha_to_one": (True, None),
    "policy.noise_scheduler.steps_offset": (0, None),
    "policy.noise_scheduler.timestep_spacing": ("leading", None),
    f"{_DECODER}.use_conv_encoder": (True,),
    f"{_DECODER}.use_rnn_decoder": (True,),
    f"{_DECODER}.use_vq": (False,),
}


@dataclass(frozen=True)
class RdpConfig:
    """A policy. images: key → (height, width); observed, touch: key → signal; all in the order in which the networks take them.

    before: steps that the decoder feels before the observation. latent: (rows, channels) of what is denoised; token: channels of it
    behind the post-quant convolution.
    """

    images: Mapping[str, tuple[int, int]]
    observed: Mapping[str, str]
    touch: Mapping[str, str]
    action: tuple[str, ...]
    action_size: int
    rate_hz: float
    obs_steps: int
    obs_stride: int
    horizon: int
    replan_steps: int
    backbone: str
    group_norm: bool
    shared: bool
    imagenet: bool
    crop_ratio: float | None
    unet: UNetShape
    latent: tuple[int, int]
    token: int
    hidden: int
    layers: int
    action_scale: float
    generator: DiffusionSpec
    task: str

    @property
    def before(self) -> int:
        """Steps of the chunk, and of what the decoder feels, that lie before the newest observation."""
        return self.obs_steps * self.obs_stride - 1


def read_policy(values: Mapping[str, Any], source: Path, rate_hz: float | None = None) -> RdpConfig:
    """Return the policy of what `unpack.picked` found; raises ConfigError for what is not supported. rate_hz: instead of its own."""
    said = _Said(values, source)
    for place, allowed in _FIXED.items():
        if (got := said.get(place)) not in allowed:
            raise ConfigError(f"{source}: {place} is {got!r}, supported is {allowed[0]!r} alone. Run this policy with RDP itself.")
    stride, of_data = said.number("obs_temporal_downsample_ratio"), said.number("dataset_obs_temporal_downsample_ratio")
    if stride != of_data:
        raise ConfigError(
            f"{source}: obs_temporal_downsample_ratio is {stride}, that of the data set {of_data}: touch at another rate than the "
            "actions is not supported. Run this policy with RDP itself."
        )
    horizon = said.number("policy.horizon")
    rows = horizon
    for _ in range(said.number(f"{_DECODER}.conv_layer_num") + 1):
        rows = math.ceil(rows / _STRIDE)
    images, observed, touch = said.observation()
    relative = said.get("task.dataset.relative_action")
    size = said.size("shape_meta.action")
    if size not in (9, 10):
        raise ConfigError(
            f"{source}: the action has {size} numbers; supported are 9, a pose (xyz and 6-D rotation), and 10, with the gripper's width: "
            "not positions alone (peeling), nor two arms (lifting). Run this policy with RDP itself."
        )
    if relative and said.get("task.env_runner.use_relative_tcp_obs_for_relative_action") is not False:
        observed = {key: "tcp_pose_relative" if signal == "tcp_pose" else signal for key, signal in observed.items()}
    return RdpConfig(
        images=images,
        observed=observed,
        touch=touch,
        action=("tcp_pose_relative" if relative else "tcp_pose", *(("hand_position",) if size == 10 else ())),
        action_size=size,
        rate_hz=rate_hz or float(said.number("task.env_runner.control_fps")),
        obs_steps=said.number("policy.n_obs_steps"),
        obs_stride=stride,
        horizon=horizon,
        replan_steps=said.number("task.env_runner.tcp_action_update_interval"),
        backbone=said.one_of(f"{_NETWORK}.rgb_model.name", tuple(DEPTHS)),
        group_norm=bool(said.get(f"{_NETWORK}.use_group_norm")),
        shared=bool(said.get(f"{_NETWORK}.share_rgb_model")),
        imagenet=bool(said.get(f"{_NETWORK}.imagenet_norm")),
        crop_ratio=said.crop_ratio(images),
        unet=UNetShape(
            widths=tuple(said.get("policy.down_dims") or ()),
            taps=3,  # whatever kernel_size says: RDP's rule
            groups=said.number("policy.n_groups"),
            embedding=said.number("policy.diffusion_step_embed_dim"),
            scales=bool(said.get("policy.cond_predict_scale")),
        ),
        latent=(rows, said.number(f"{_DECODER}.n_embed")),
        token=said.number(f"{_DECODER}.n_latent_dims"),
        hidden=said.number(f"{_DECODER}.rnn_latent_dims"),
        layers=said.number(f"{_DECODER}.rnn_layer_num"),
        action_scale=float(said.get(f"{_DECODER}.act_scale") or 1.0),
        generator=said.generator(),
        task=str(said.get("task.name")),
    )


class _Said:
    """What a configuration says, by place; `unpack.WANTED` tells which places there are."""

    def __init__(self, values: Mapping[str, Any], source: Path) -> None:
        self._values, self._source = values, source

    def get(self, place: str) -> Any:
        """Return what stands at a place, or None."""
        top = max((name for name in self._values if place == name or place.startswith(f"{name}.")), key=len, default=None)
        if top is None:
            return None
        below = place.removeprefix(top).removeprefix(".")
        return found(self._values[top], below) if below else self._values[top]

    def number(self, place: str) -> int:
        """Return a positive whole number."""
        value = self.get(place)
        if type(value) is float and value.is_integer():
            value = int(value)
        if not (type(value) is int and value > 0):
            raise ConfigError(f"{self._source}: {place} is {value!r}, expected a positive whole number. Unpack the checkpoint again.")
        return value

    def one_of(self, place: str, allowed: tuple[str, ...]) -> str:
        """Return a text that is one of those that are supported."""
        value = self.get(place)
        if value not in allowed:
            raise ConfigError(f"{self._source}: {place} is {value!r}, supported: {', '.join(allowed)}. Run this policy with RDP itself.")
        return value

    def size(self, place: str) -> int:
        """Return the only dimension of a shape."""
        shape = self.get(f"{place}.shape")
        if not (isinstance(shape, list) and len(shape) == 1 and type(shape[0]) is int):
            raise ConfigError(f"{self._source}: {place} has shape {shape!r}, expected one number. Unpack the checkpoint again.")
        return shape[0]

    def observation(self) -> tuple[dict[str, tuple[int, int]], dict[str, str], dict[str, str]]:
        """Return images, what else is observed, and what the decoder feels: RDP takes each in the order of the alphabet."""
        kinds = {key: str(of.get("type", "low_dim")) for key, of in (self.get("shape_meta.obs") or {}).items()}
        images = {key: self._image(key) for key in sorted(kinds) if kinds[key] == "rgb"}
        observed = {key: self._signal("obs", key) for key in sorted(kinds) if kinds[key] != "rgb"}
        touch = {key: self._signal("extended_obs", key) for key in sorted(self.get("shape_meta.extended_obs") or {})}
        if not images or not touch or set(touch.values()) != {"wrench"}:
            raise ConfigError(
                f"{self._source}: sees {sorted(images)}, feels {sorted(touch)}; supported is at least one camera, and a decoder that feels "
                "the tcp's wrench. Run this policy with RDP itself."
            )
        return images, observed, touch

    def _image(self, key: str) -> tuple[int, int]:
        shape = self.get(f"shape_meta.obs.{key}.shape")
        if "gripper" in key or not (isinstance(shape, list) and len(shape) == 3 and shape[0] == 3):
            raise ConfigError(
                f"{self._source}: image '{key}' of shape {shape!r} is not supported, only a camera's (3, height, width): no gel. Run this "
                "policy with RDP itself."
            )
        return shape[1], shape[2]

    def _signal(self, kind: str, key: str) -> str:
        size = self.size(f"shape_meta.{kind}.{key}")
        for ending, (signal, expected) in _OBSERVED.items():
            if key.endswith(ending) and not key.startswith("right_") and size == expected:
                return signal
        known = ", ".join(f"left_{ending} ({expected})" for ending, (_, expected) in _OBSERVED.items())
        raise ConfigError(
            f"{self._source}: '{key}' of {size} numbers is not supported, only {known}: no markers of a gel, no second arm. Run this "
            "policy with RDP itself."
        )

    def crop_ratio(self, images: Mapping[str, tuple[int, int]]) -> float | None:
        """Return the share of an image whose centre is seen, None: all of it."""
        resize, transforms = self.get(f"{_NETWORK}.resize_shape"), self.get(f"{_NETWORK}.random_transforms")
        if resize is not None and any(list(shape) != list(resize) for shape in images.values()):
            raise ConfigError(
                f"{self._source}: images {dict(images)} are resized to {resize}; how depends on RDP's version of torchvision. Run this "
                "policy with RDP itself."
            )
        if not transforms:
            return None
        if len(transforms) != 1 or transforms[0].get("type") != "RandomCrop" or not 0.0 < transforms[0].get("ratio", 0.0) <= 1.0:
            raise ConfigError(f"{self._source}: {_NETWORK}.random_transforms is {transforms}, supported: one RandomCrop. Use RDP itself.")
        return float(transforms[0]["ratio"])

    def generator(self) -> DiffusionSpec:
        """Return how RDP draws a latent on a robot."""
        place = "policy.noise_scheduler"
        if not str(self.get(f"{place}._target_")).endswith("DDIMScheduler"):
            raise ConfigError(
                f"{self._source}: {place} is {self.get(f'{place}._target_')}, supported is diffusers' DDIMScheduler. Use RDP itself."
            )
        schedule = self.one_of(f"{place}.beta_schedule", ("squaredcos_cap_v2", "linear"))
        if schedule == "linear" and (self.get(f"{place}.beta_start"), self.get(f"{place}.beta_end")) != (1e-4, 0.02):
            raise ConfigError(f"{self._source}: a linear schedule is from 0.0001 to 0.02 here, {place} has others. Use RDP itself.")
        clips = self.get(f"{place}.clip_sample") is not False
        return DiffusionSpec(
            clip_sample=float(self.get(f"{place}.clip_sample_range") or 1.0) if clips else None,
            clip_noise=False,
            train_steps=self.number(f"{place}.num_train_timesteps"),
            schedule=schedule,
            prediction=self.one_of(f"{place}.prediction_type", ("epsilon", "sample")),
            sampler="ddim",
            inference_steps=INFERENCE_STEPS,
        )
