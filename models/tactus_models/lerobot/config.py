"""`config.json` of a LeRobot checkpoint: what of it shapes the network and its use, checked; what is unknown is refused by name.

Keys as LeRobot 0.6.1 writes them, and the releases since checkpoints have `input_features` (0.1, January 2025).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from tactus_core.config import from_mapping, param
from tactus_core.errors import ConfigError, DataError
from tactus_models.imported.files import read_json
from tactus_models.imported.resnet import DEPTHS
from tactus_models.imported.unet import UNetShape

T = TypeVar("T")
STATE, ACTION = "observation.state", "action"
# How a checkpoint was trained, published or placed: nothing of it changes what the network computes.
_OF_TRAINING = {
    "type", "device", "use_amp", "push_to_hub", "repo_id", "private", "tags", "license", "pretrained_path", "pretrained_revision",
    "pretrained_backbone_weights", "crop_is_random", "gradient_checkpointing", "compile_model", "compile_mode", "drop_n_last_frames",
    "do_mask_loss_for_padding", "optimizer_lr", "optimizer_lr_backbone", "optimizer_betas", "optimizer_eps", "optimizer_weight_decay",
    "scheduler_name", "scheduler_warmup_steps", "dropout", "kl_weight", "use_vae", "n_vae_encoder_layers",
}  # fmt: skip


@dataclass(frozen=True)
class Features:
    """What goes in and out. images: key → (height, width); state, action: sizes. modes: how STATE, VISUAL and ACTION are normalised."""

    images: Mapping[str, tuple[int, int]]
    state: int
    action: int
    modes: Mapping[str, str]


@dataclass(frozen=True)
class DiffusionConfig:
    """LeRobot's `diffusion`; shapes are (height, width) or None."""

    n_obs_steps: int = param(doc="Times at which is observed, one step apart.", low=1, high=100)
    horizon: int = param(doc="Steps that are denoised, from the oldest observation on.", low=2, high=1000)
    n_action_steps: int = param(doc="Steps that LeRobot plays before it plans anew.", low=1, high=1000)
    vision_backbone: str = param(doc="Image network.", choices=tuple(DEPTHS))
    crop_shape: tuple[int, int] | None = param(doc="Centre that is seen.")
    use_group_norm: bool = param(doc="GroupNorm instead of BatchNorm in the image network.")
    spatial_softmax_num_keypoints: int = param(doc="Points that an image becomes.", low=1, high=4096)
    use_separate_rgb_encoder_per_camera: bool = param(doc="An image network per camera.")
    down_dims: tuple[int, ...] = param(doc="Channels of the U-Net's levels.", low=1, high=65536)
    kernel_size: int = param(doc="Taps of its convolutions.", low=1, high=99)
    n_groups: int = param(doc="Groups of its GroupNorm.", low=1, high=1024)
    diffusion_step_embed_dim: int = param(doc="Length of the embedded noise level.", low=4, high=65536)
    use_film_scale_modulation: bool = param(doc="The condition scales, too, and does not only shift.")
    noise_scheduler_type: str = param(doc="Sampler.", choices=("DDPM", "DDIM"))
    num_train_timesteps: int = param(doc="Noise levels in training.", low=2, high=10000)
    beta_schedule: str = param(doc="Noise schedule.", choices=("squaredcos_cap_v2", "linear"))
    beta_start: float = param(doc="First beta of a linear schedule.", low=0.0, high=1.0)
    beta_end: float = param(doc="Last beta of a linear schedule.", low=0.0, high=1.0)
    prediction_type: str = param(doc="What the U-Net predicts.", choices=("epsilon", "sample"))
    clip_sample: bool = param(doc="Clip the estimate of the clean sample.")
    clip_sample_range: float = param(doc="To plus and minus this.", low=1e-6, high=1e6)
    num_inference_steps: int | None = param(doc="Steps of the sampler; None: as many as in training.")
    resize_shape: tuple[int, int] | None = param(None, doc="Size that images are brought to first.")
    crop_ratio: float = param(1.0, doc="Share of resize_shape that is seen.", low=0.01, high=1.0)

    @property
    def unet(self) -> UNetShape:
        """Sizes of the U-Net."""
        return UNetShape(self.down_dims, self.kernel_size, self.n_groups, self.diffusion_step_embed_dim, self.use_film_scale_modulation)

    @property
    def crop(self) -> tuple[int, int] | None:
        """Centre (height, width) that is seen. With resize_shape it follows from crop_ratio, whatever crop_shape says: LeRobot's rule."""
        if self.resize_shape is None:
            return self.crop_shape
        return (
            None if self.crop_ratio == 1.0 else (int(self.resize_shape[0] * self.crop_ratio), int(self.resize_shape[1] * self.crop_ratio))
        )

    def check(self, features: Features) -> None:
        """Raise ConfigError where the numbers contradict each other."""
        stride = 2 ** len(self.down_dims)
        if self.horizon % stride:
            raise ConfigError(f"horizon is {self.horizon}, the U-Net's {len(self.down_dims)} levels want a multiple of {stride}.")
        if self.n_action_steps > self.horizon - self.n_obs_steps + 1:
            raise ConfigError(
                f"n_action_steps is {self.n_action_steps}, horizon − n_obs_steps + 1 is {self.horizon - self.n_obs_steps + 1}."
            )
        if self.kernel_size % 2 == 0 or any(width % self.n_groups or width % 8 for width in self.down_dims):
            raise ConfigError(f"kernel_size {self.kernel_size} must be odd, and down_dims {self.down_dims} multiples of n_groups and of 8.")
        if self.beta_schedule == "linear" and (self.beta_start, self.beta_end) != (1e-4, 0.02):
            raise ConfigError(
                f"beta_start and beta_end are {self.beta_start} and {self.beta_end}; a linear schedule is from 0.0001 to 0.02 here."
            )
        if not features.images or not features.state:
            raise ConfigError(f"a diffusion policy needs images and {STATE} here. Checkpoints of states alone are not imported yet.")
        if len(set(features.images.values())) > 1:
            raise ConfigError(f"images differ in size: {dict(features.images)}; LeRobot's diffusion wants one size.")
        seen = self.resize_shape or next(iter(features.images.values()))
        if self.crop is not None and (self.crop[0] > seen[0] or self.crop[1] > seen[1]):
            raise ConfigError(f"crop_shape {self.crop} is larger than the image, {seen}.")


@dataclass(frozen=True)
class ActConfig:
    """LeRobot's `act`."""

    n_obs_steps: int = param(doc="Times at which is observed.", low=1, high=1)
    chunk_size: int = param(doc="Steps that are planned.", low=2, high=1000)
    n_action_steps: int = param(doc="Steps that LeRobot plays before it plans anew.", low=1, high=1000)
    vision_backbone: str = param(doc="Image network.", choices=tuple(DEPTHS))
    replace_final_stride_with_dilation: int = param(doc="Dilation in the image network, which ResNet-18 and -34 lack.", low=0, high=0)
    pre_norm: bool = param(doc="LayerNorm before attention, not behind it.")
    dim_model: int = param(doc="Width of the transformer.", low=4, high=65536)
    n_heads: int = param(doc="Heads of its attention.", low=1, high=1024)
    dim_feedforward: int = param(doc="Width between its two layers.", low=1, high=65536)
    feedforward_activation: str = param(doc="What is between them.", choices=("relu", "gelu"))
    n_encoder_layers: int = param(doc="Layers that join what was observed.", low=1, high=100)
    n_decoder_layers: int = param(doc="Layers that make the chunk.", low=1, high=100)
    latent_dim: int = param(doc="Length of the style variable, zero when it runs.", low=1, high=65536)
    temporal_ensemble_coeff: float | None = param(None, doc="Weight of older chunks in the mean that is played; None: the newest alone.")

    def check(self, features: Features) -> None:
        """Raise ConfigError where the numbers contradict each other."""
        if self.dim_model % (2 * self.n_heads):
            raise ConfigError(f"dim_model is {self.dim_model}, expected a multiple of 2 · n_heads, {2 * self.n_heads}.")
        if not features.images or not features.state:
            raise ConfigError(f"an act policy needs images and {STATE} here. Checkpoints of states or images alone are not imported yet.")
        if self.temporal_ensemble_coeff is not None:
            raise ConfigError("temporal_ensemble_coeff is set; chunks are played without ensembling. Set it to null in config.json.")


Policy = DiffusionConfig | ActConfig
_KINDS: dict[str, type[DiffusionConfig] | type[ActConfig]] = {"diffusion": DiffusionConfig, "act": ActConfig}


def read_config(path: Path) -> tuple[Policy, Features]:
    """Return what `config.json` says; raises DataError for another file, ConfigError for a policy or an option that is not supported."""
    values = read_json(path)
    kind = values.get("type")
    if kind not in _KINDS:
        raise ConfigError(f"{path}: policy type {kind!r} is not supported, only {' and '.join(_KINDS)}. Serve it remotely instead.")
    if values.get("use_peft"):
        raise ConfigError(f"{path}: use_peft is set: these weights are additions to others. Merge them with LeRobot first.")
    features = _features(values, str(path))
    try:
        shaping = {k: v for k, v in values.items() if k not in {*_OF_TRAINING, *_OF_FEATURES, "use_peft"}}
        config = from_mapping(_KINDS[kind], _typed(_KINDS[kind], shaping, str(path)), str(path))
        config.check(features)
    except ConfigError as error:
        raise ConfigError(f"{error} In {path}, of a checkpoint that was not imported.") from None
    return config, features


_OF_FEATURES = {"input_features", "output_features", "normalization_mapping"}


def _features(values: Mapping[str, Any], source: str) -> Features:
    if "input_shapes" in values:
        raise ConfigError(
            f"{source}: of LeRobot before 0.1 (`input_shapes`). Convert it with LeRobot first: it rewrites what it loads and saves."
        )
    try:
        shapes = {
            key: (of["type"], tuple(of["shape"])) for side in ("input_features", "output_features") for key, of in values[side].items()
        }
        modes = dict(values["normalization_mapping"])
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{source}: input_features, output_features or normalization_mapping is damaged: {error!r}. Copy it again."
        ) from None
    images: dict[str, tuple[int, int]] = {}
    sizes = {STATE: 0, ACTION: 0}
    for key, (kind, shape) in shapes.items():
        if not (shape and all(type(n) is int and n > 0 for n in shape)):
            raise DataError(f"{source}: '{key}' has shape {shape}, expected positive numbers. Copy it again.")
        if kind == "VISUAL" and len(shape) == 3 and shape[0] == 3:
            images[key] = shape[1:]
        elif key in sizes and kind in ("STATE", "ACTION") and len(shape) == 1:
            sizes[key] = shape[0]
        else:
            raise ConfigError(f"{source}: feature '{key}', {kind} {shape}, is not supported: only rgb images, {STATE} and {ACTION}.")
    if not sizes[ACTION]:
        raise DataError(f"{source}: output_features lack '{ACTION}'. Copy it again.")
    return Features(images, sizes[STATE], sizes[ACTION], modes)


def _typed(kind: type[T], values: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return `values` with the optional pairs and numbers checked, which `from_mapping` passes as they are."""
    out = dict(values)
    for f in fields(kind):  # type: ignore[arg-type]
        value = out.get(f.name)
        if f.type == tuple[int, int] | None and value is not None:
            if not (isinstance(value, list) and len(value) == 2 and all(type(n) is int and n > 0 for n in value)):
                raise ConfigError(f"{source}: '{f.name}' must be two positive whole numbers or null, got {value!r}.")
            out[f.name] = tuple(value)
        elif f.type == int | None and value is not None and not (type(value) is int and value > 0):
            raise ConfigError(f"{source}: '{f.name}' must be a positive whole number or null, got {value!r}.")
        elif f.type is bool or f.type is int:
            # LeRobot declares `replace_final_stride_with_dilation: int = False`.
            out[f.name] = int(value) if f.type is int and type(value) is bool else value
    return {key: value for key, value in out.items() if key in values}
