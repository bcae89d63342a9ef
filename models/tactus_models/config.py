"""Every number of the training, declared once; `TrainConfig` is what a YAML file or the command line may change."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from tactus_core.config import from_mapping, load_yaml, param
from tactus_core.errors import ConfigError
from tactus_core.policy.specs import AXES


@dataclass(frozen=True)
class DataConfig:
    """How demonstrations become training samples; the grid is the one that the card promises."""

    chunk_steps: int = param(32, low=4, high=256, doc="Actions in a chunk; a multiple of 4.")
    chunk_dt_s: float = param(0.05, low=0.005, high=1.0, doc="Time between the actions of a chunk.")
    window_dt_s: float = param(0.02, low=0.005, high=0.2, doc="Grid of the fast head's window.")
    arm_latency_s: float = param(0.01, low=0.0, high=0.5, doc="From sending a tcp target to its effect: labels are that much ahead.")
    hand_latency_s: float = param(0.02, low=0.0, high=0.5, doc="The same for the press synergy.")
    held_out: float = param(0.05, low=0.0, high=0.5, doc="Share of the episodes kept for validation.")


@dataclass(frozen=True)
class TokenizerConfig:
    """The asymmetric tokenizer: convolutional encoder of the chunk, GRU decoder fed with touch."""

    latent_channels: int = param(4, low=1, high=64, doc="Channels of the latent; its steps are a quarter of the chunk's.")
    hidden: int = param(32, low=4, high=512, doc="Channels of the encoder's convolutions.")
    condition_channels: int = param(8, low=1, high=64, doc="Channels of the latent after the post-quant convolution.")
    gru_hidden: int = param(64, low=8, high=512, doc="Width of the decoder's GRU.")
    kl_weight: float = param(1e-4, low=0.0, high=1.0, doc="Weight of the KL divergence (nats a chunk) against the mean L1 (normalised).")
    disturbance_m: float = param(0.015, low=0.0, high=0.1, doc="Std of the false normal shift that the encoder is shown.")
    disturbance_rad: float = param(0.06, low=0.0, high=0.5, doc="Std of the false tilt that the encoder is shown.")
    batch: int = param(64, low=1, high=4096, doc="Anchors a step.")
    steps: int = param(5000, low=1, high=10_000_000, doc="Optimiser steps.")
    learning_rate: float = param(2e-3, low=0.0, high=1.0, doc="Peak rate of AdamW.")
    further_steps: int = param(4000, low=1, high=10_000_000, doc="Steps of the fast head on the second round of demonstrations.")
    further_learning_rate: float = param(1e-3, low=0.0, high=1.0, doc="Peak rate there.")


@dataclass(frozen=True)
class TransformerConfig:
    """The networks of the policies `transformer` and `act`."""

    width: int = param(96, low=8, high=2048, doc="Length of a token; a multiple of twice the heads.")
    layers: int = param(4, low=1, high=64, doc="Layers of decoder and encoder each.")
    heads: int = param(4, low=1, high=64, doc="Heads of attention.")
    dropout: float = param(0.1, low=0.0, high=0.9, doc="Share of activations that are left out in training.")
    kl_weight: float = param(0.1, low=0.0, high=1000.0, doc="ACT: weight of the KL divergence (nats a chunk) against the mean L1.")


@dataclass(frozen=True)
class DiffusionConfig:
    """The slow policy: image encoder and what generates, the same for latents and for action chunks."""

    policy: str = param(
        "unet", choices=("unet", "transformer", "flow", "act"), doc="Diffusion by U-Net or transformer; flow matching by U-Net; ACT."
    )
    transformer: TransformerConfig = field(default_factory=TransformerConfig)
    features: int = param(64, low=4, high=1024, doc="Length of the image features.")
    encoder_widths: tuple[int, ...] = param(
        (32, 48, 96), low=8, high=1024, doc="Channels of the stem (24×24) and of each stage, which halves the map."
    )
    unet_widths: tuple[int, ...] = param((48, 96, 144), low=8, high=2048, doc="Channels of each level; multiples of 8.")
    train_steps: int = param(100, low=2, high=10_000, doc="Noise levels.")
    inference_steps: int = param(8, low=1, high=1000, doc="Denoising steps, in validation and in the card.")
    noise_samples: int = param(2, low=1, high=64, doc="Noise levels per image and step: the U-Net is cheap beside the encoder.")
    shift_px: int = param(2, low=0, high=16, doc="Largest random image shift.")
    batch: int = param(64, low=1, high=4096, doc="Images a step.")
    steps: int = param(11_000, low=1, high=10_000_000, doc="Optimiser steps.")
    learning_rate: float = param(4e-4, low=0.0, high=1.0, doc="Peak rate of AdamW.")
    further_steps: int = param(2000, low=1, high=10_000_000, doc="Steps of the baseline on the second round of demonstrations.")
    further_learning_rate: float = param(2e-4, low=0.0, high=1.0, doc="Peak rate there.")


@dataclass(frozen=True)
class DistilConfig:
    """Another denoiser for a bundle that there is: a transformer that learns what the bundle's own says of its plans."""

    teacher: str = param("wipe-rdp", doc="Bundle that is learnt from: a name in models/bundles, or a folder.")
    # Nothing is dropped out: what is learnt has no noise in it that could be learnt by heart.
    network: TransformerConfig = field(default_factory=lambda: TransformerConfig(width=80, dropout=0.0))
    batch: int = param(128, low=1, high=4096, doc="Plans a step.")
    steps: int = param(6000, low=1, high=10_000_000, doc="Optimiser steps.")
    learning_rate: float = param(1e-3, low=0.0, high=1.0, doc="Peak rate of AdamW.")


@dataclass(frozen=True)
class ResidualConfig:
    """Residual off-policy learning (Ankile et al. 2025, ResFiT) on a base policy that stands still."""

    dt_s: float = param(0.05, low=0.005, high=1.0, doc="Time between decisions: one environment step.")
    limit_m: float = param(0.008, low=0.0, high=0.05, doc="Largest correction along each axis of the tool.")
    limit_rad: float = param(0.05, low=0.0, high=0.5, doc="Largest correction about each axis of the tool.")
    axes: str = param("all", choices=AXES, doc="What is corrected; z: along the axis out of the tool alone.")
    hidden: int = param(128, low=4, high=4096, doc="Width of the two hidden layers of actor and critics.")
    critics: int = param(10, low=2, high=100, doc="Heads of the ensemble; a target is the lower of two drawn at random.")
    steps: int = param(40_000, low=1, high=10_000_000, doc="Environment steps, those of the warm-up among them.")
    warm_up_steps: int = param(4000, low=1, high=10_000_000, doc="Environment steps with random corrections, before any update.")
    warm_up_updates: int = param(4000, low=0, high=10_000_000, doc="Updates of the critics before the actor's first.")
    batch: int = param(128, low=2, high=65_536, doc="Transitions of an update: half of them demonstrated.")
    updates_per_step: int = param(4, low=1, high=64, doc="Updates of the critics per environment step; the actor has one.")
    n_step: int = param(3, low=1, high=20, doc="Rewards that a return sums before it bootstraps.")
    discount: float = param(0.99, low=0.0, high=1.0, doc="Per environment step.")
    target_rate: float = param(0.005, low=0.0, high=1.0, doc="Share by which the target critics follow in an update.")
    actor_learning_rate: float = param(3e-5, low=0.0, high=1.0, doc="Of AdamW.")
    critic_learning_rate: float = param(3e-4, low=0.0, high=1.0, doc="Of AdamW.")
    noise: float = param(0.3, low=0.0, high=1.0, doc="Std of exploration, a share of the limits.")
    noise_time_s: float = param(0.2, low=0.0, high=10.0, doc="How long exploration keeps its direction.")
    validate_every: int = param(10_000, low=1, high=10_000_000, doc="Environment steps between two validations.")
    validate_episodes: int = param(25, low=1, high=1000, doc="Tuning seeds of a validation.")


@dataclass(frozen=True)
class SuccessConfig:
    """A classifier of success, and how sure it has to be: numbers chosen on tuning seeds."""

    encoder_widths: tuple[int, ...] = param((16, 24, 32), low=8, high=1024, doc="As of `DiffusionConfig`.")
    features: int = param(32, low=4, high=1024, doc="Length of the image features.")
    hidden: int = param(32, low=4, high=4096, doc="Width of the hidden layer behind them.")
    dropout: float = param(0.1, low=0.0, high=0.9, doc="Share of the hidden layer that is left out in training.")
    shift_px: int = param(2, low=0, high=16, doc="Largest random image shift.")
    batch: int = param(64, low=2, high=4096, doc="Images a step, half of them successes.")
    steps: int = param(1500, low=1, high=10_000_000, doc="Optimiser steps.")
    learning_rate: float = param(1e-3, low=0.0, high=1.0, doc="Peak rate of AdamW.")
    minutes: float = param(15.0, low=0.01, high=1e5, doc="Wall-clock budget.")
    held_out: float = param(0.2, low=0.0, high=0.5, doc="Share of the episodes kept for the error rates on its card.")
    threshold: float = param(0.8, low=0.0, high=1.0, doc="From this probability on an image shows success.")
    frames: int = param(3, low=1, high=1000, doc="So many images in a row have to show it.")
    gap_s: float = param(0.3, low=0.001, high=10.0, doc="Images further apart than this are not in a row.")


@dataclass(frozen=True)
class CardConfig:
    """What a bundle's card promises beyond what follows from data and networks."""

    version: str = param("0.1.0", doc="Of the bundle.")
    task: str = param("wipe", doc="Task that was demonstrated.")
    robot: str = param("panda_allegro", doc="Name of the robot that demonstrated it.")
    replan_s: float = param(0.4, low=0.01, high=10.0, doc="Age of a latent at which the next one is planned.")
    replan_action_s: float = param(0.2, low=0.01, high=10.0, doc="The same for action chunks: what did best on tuning seeds.")
    validity_s: float = param(1.2, low=0.01, high=10.0, doc="Age past which a chunk is not played.")
    image_max_age_s: float = param(0.3, low=0.001, high=10.0, doc="Oldest image that is planned from.")
    touch_max_age_s: float = param(0.05, low=0.001, high=10.0, doc="Oldest joint state, wrench or taxels that are acted on.")


@dataclass(frozen=True)
class TrainConfig:
    """One training, from demonstrations to bundles. minutes_*: wall-clock budgets; a stage ends at its steps or its minutes."""

    data: DataConfig = field(default_factory=DataConfig)
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    diffusion: DiffusionConfig = field(default_factory=DiffusionConfig)
    distil: DistilConfig = field(default_factory=DistilConfig)
    residual: ResidualConfig = field(default_factory=ResidualConfig)
    success: SuccessConfig = field(default_factory=SuccessConfig)
    card: CardConfig = field(default_factory=CardConfig)
    seed: int = param(0, low=0, high=99_999, doc="Of initial weights, batches and noise.")
    threads: int = param(2, low=1, high=256, doc="CPU threads. On a shared machine two trainings of one thread each beat one of two.")
    minutes_tokenizer: float = param(8.0, low=0.01, high=1e5, doc="Budget of the tokenizer.")
    minutes_diffusion: float = param(25.0, low=0.01, high=1e5, doc="Budget of each of `latent`, `chunk` and `distil`.")


# Of a residual that learns from few episodes, in which a human helps.
CORRECTED = ResidualConfig(warm_up_steps=3000)


@dataclass(frozen=True)
class LearnConfig:
    """Learning from corrections, beside the robot. residual: of the methods that learn one; its steps bound what is remembered."""

    residual: ResidualConfig = field(default_factory=lambda: CORRECTED)
    offline_updates: int = param(3000, low=1, high=10_000_000, doc="Updates on demonstrations alone, where the method begins with such.")
    collected_steps: int = param(500, low=0, high=10_000_000, doc="Decisions collected without an update, where it goes on with such.")
    fit_every: int = param(15, low=1, high=10_000, doc="Corrections between two fits of a base.")
    fit_steps: int = param(300, low=1, high=10_000_000, doc="Optimiser steps of a fit.")
    fit_learning_rate: float = param(2e-4, low=0.0, high=1.0, doc="Peak rate of a fit.")
    head_steps: int = param(600, low=1, high=10_000_000, doc="The same of a fast head, where the base has one.")
    head_learning_rate: float = param(1e-3, low=0.0, high=1.0, doc="Peak rate there.")
    ahead_s: float = param(0.5, low=0.0, high=0.5, doc="A fast head learns what a human did so long after it was felt.")
    threads: int = param(1, low=1, high=256, doc="CPU threads.")


# Task by task, where the defaults, which are of insertion, are not right.
LEARNING: Mapping[str, LearnConfig] = {
    # What a press was worth is known within a second. What is felt says nothing of where to wipe, so that is left to the base.
    "wipe": LearnConfig(residual=replace(CORRECTED, axes="z", discount=0.95)),
}
WIPE = TrainConfig()
# Fifty demonstrations of two seconds: smaller networks and batches, or they only learn for longer.
INSERT = TrainConfig(
    diffusion=DiffusionConfig(encoder_widths=(16, 32, 64), unet_widths=(32, 48, 64), batch=32, steps=2500),
    card=CardConfig(task="insert", robot="panda_allegro_peg", replan_action_s=0.4),
)
# What `policy` trains and exports, task by task: its stage, and the name of its bundle. `chunk` and `base` go by `DiffusionConfig.policy`.
POLICIES = {
    "wipe": {
        "rdp": ("latent", "wipe-rdp"),
        "rdp-transformer": ("distil", "wipe-rdp-transformer"),
        "unet": ("chunk", "wipe-chunk"),
        "transformer": ("chunk", "wipe-transformer"),
        "act": ("chunk", "wipe-act"),
        "flow": ("chunk", "wipe-flow"),
    },
    "insert": {
        "unet": ("base", "insert-base"),
        "transformer": ("base", "insert-transformer"),
        "act": ("base", "insert-act"),
        "flow": ("base", "insert-flow"),
    },
}


Configuration = TypeVar("Configuration", TrainConfig, LearnConfig)


def read_config(path: Path | None, default: Configuration) -> Configuration:
    """Return `default` with a YAML file's differences: a section for each of its parts, and top-level keys."""
    return from_mapping(type(default), _differing(asdict(default), load_yaml(path) if path else {}), str(path))


def _differing(values: Mapping[str, Any], differences: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` with the differences put in, section by section."""
    sections = {name for name, of in differences.items() if isinstance(of, Mapping) and isinstance(values.get(name), Mapping)}
    return {**values, **{name: _differing(values[name], of) if name in sections else of for name, of in differences.items()}}


def chosen_policy(config: TrainConfig, policy: str) -> tuple[TrainConfig, tuple[str, ...]]:
    """Return the configuration and the stages that train a policy of `POLICIES`; raises ConfigError for one that its task has not."""
    policies = POLICIES[config.card.task]
    if policy not in policies:
        raise ConfigError(f"policy '{policy}' is not trained for task '{config.card.task}'; choose from {', '.join(policies)}.")
    stage, _ = policies[policy]
    by_name = stage in ("chunk", "base")
    return (replace(config, diffusion=replace(config.diffusion, policy=policy)) if by_name else config), (stage,)


def bundle_folders(root: Path, config: TrainConfig) -> dict[str, Path]:
    """Return where the bundle of each stage that trains a policy is written below `root`."""
    policies = POLICIES[config.card.task]
    chosen = sorted({config.diffusion.policy, "rdp", "rdp-transformer"} & set(policies))
    return {stage: root / name for stage, name in (policies[policy] for policy in chosen)}
