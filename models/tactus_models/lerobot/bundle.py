"""A LeRobot checkpoint → a bundle: what config.json leaves open is said by whoever knows the robot, and checked against it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tactus_core.errors import ConfigError
from tactus_core.policy.bundle import Normaliser
from tactus_core.policy.card import Card
from tactus_core.policy.signals import ARM_SIGNALS, CommandedSpec, JointsSpec, ObservedSpec, signal_size
from tactus_core.policy.specs import CameraSpec, ChunkSpec, DiffusionSpec, DirectSpec, FileSpec, GroupSpec, ObservationSpec, StreamSpec
from tactus_core.types import ChunkKind, RobotDescription
from tactus_models.export import write_bundle
from tactus_models.lerobot.checkpoint import Checkpoint
from tactus_models.lerobot.config import ACTION, STATE, ActConfig, DiffusionConfig
from tactus_models.lerobot.networks import networks

_LONGEST_S = 10.0  # a card's bound of replan_s and validity_s


@dataclass(frozen=True)
class Meaning:
    """What a checkpoint's numbers are on a robot.

    state, action: the signals that `observation.state` and `action` are made of, in order. rate_hz: of the data set it learned from.
    units: joint → (unit_rad, zero_rad): a number x of the checkpoint is zero_rad + x · unit_rad; radians where a joint is not named.
    """

    robot: RobotDescription
    state: Sequence[str]
    action: Sequence[str]
    rate_hz: float
    units: Mapping[str, tuple[float, float]]
    task: str

    @property
    def joints(self) -> JointsSpec:
        """Return how many joints the robot has."""
        return JointsSpec(len(self.robot.arm_joints), len(self.robot.hand_joints))

    def sizes(self, signals: Sequence[str]) -> list[int]:
        """Return how many numbers each signal has."""
        return [signal_size(signal, self.joints) for signal in signals]

    def check(self, signals: Sequence[str], size: int, what: str) -> None:
        """Raise ConfigError where the signals have not as many numbers as the checkpoint."""
        sizes = self.sizes(signals)
        if sum(sizes) != size:
            said = " + ".join(f"{signal} ({n})" for signal, n in zip(signals, sizes, strict=True))
            raise ConfigError(
                f"the checkpoint's '{what}' has {size} numbers, {said} of robot '{self.robot.name}' has {sum(sizes)}. "
                "Name the signals that it is made of, in its order, and the robot that it was trained on."
            )

    def in_radians(self, signals: Sequence[str], normaliser: Normaliser) -> Normaliser:
        """Return the normaliser of the same numbers in the robot's units."""
        joints = {"arm_position": self.robot.arm_joints, "hand_position": self.robot.hand_joints}
        pairs = [
            self.units.get(joint, (1.0, 0.0))
            for signal, size in zip(signals, self.sizes(signals), strict=True)
            for joint in joints.get(signal, [""] * size)
        ]
        unit, zero = np.array(pairs, dtype=np.float64).T
        return Normaliser((zero + unit * normaliser.offset).astype(np.float32), (unit * normaliser.scale).astype(np.float32))


def import_checkpoint(folder: Path, meaning: Meaning, name: str, into: Path, sampler: str | None = None, steps: int | None = None) -> Card:
    """Write the bundle of the checkpoint in `folder`, and compare its graphs with the networks that they were made of.

    sampler, steps: instead of those of config.json. Raises ConfigError for what is not supported or does not fit the robot, DataError
    for damaged files, BundleError where ONNX Runtime and torch differ.
    """
    checkpoint = Checkpoint.load(folder)
    meaning.check(meaning.state, checkpoint.features.state, STATE)
    meaning.check(meaning.action, checkpoint.features.action, ACTION)
    features, modules = networks(checkpoint, meaning.sizes(meaning.state), folder)
    draft = _card(checkpoint, meaning, name, _digest(folder), sampler, steps)
    state, action = (meaning.in_radians(of, checkpoint.normalisers[key]) for of, key in ((meaning.state, STATE), (meaning.action, ACTION)))
    normalisers = {"low_dim": _over_times(state, meaning, checkpoint.config.n_obs_steps), "action": action}
    return write_bundle(draft, features, modules, normalisers, into)


def _card(checkpoint: Checkpoint, meaning: Meaning, name: str, digest: str, sampler: str | None, steps: int | None) -> Card:
    """Return the card without its files."""
    config, dt_s = checkpoint.config, 1.0 / meaning.rate_hz
    at_s = tuple(round(-n * dt_s, 9) + 0.0 for n in reversed(range(config.n_obs_steps)))
    planned = config.chunk_size if isinstance(config, ActConfig) else config.horizon - config.n_obs_steps + 1
    reach_s = min(dt_s * (planned - 1), _LONGEST_S)
    groups = ["arm" if signal in ARM_SIGNALS else "hand" for signal in meaning.action]
    waits, holds = StreamSpec(0.3, "wait"), StreamSpec(0.05, "hold")
    card = Card(
        name=name,
        version=digest[:12],
        kind=ChunkKind.ACTION,
        task=meaning.task,
        robot=meaning.robot.name,
        joints=meaning.joints,
        licence="of the checkpoint",
        graphs={},
        normaliser=FileSpec("", ""),
        observation=ObservationSpec(
            cameras={camera_name(key): CameraSpec((*size, 3), at_s) for key, size in checkpoint.features.images.items()},
            low_dim=tuple(ObservedSpec(signal, at_s) for signal in meaning.state),
        ),
        action=tuple(CommandedSpec(group, signal) for group, signal in zip(groups, meaning.action, strict=True)),
        groups={group: GroupSpec(0.0) for group in groups},
        # Entry 0 of LeRobot's horizon belongs to the oldest observation.
        chunk=ChunkSpec(dt_s=dt_s, steps=planned, past_steps=config.n_obs_steps - 1),
        latent=None,
        generator=generator(config, sampler, steps),
        streams={},
        training={"from": f"LeRobot {type(config).__name__.removesuffix('Config').lower()}", "weights_sha256": digest},
        # LeRobot plans anew when n_action_steps have been played; half of that leaves as long for planning.
        replan_s=min(config.n_action_steps * dt_s, reach_s) / 2.0,
        validity_s=reach_s,
    )
    return replace(card, streams={stream: waits if stream == "image" else holds for stream in sorted(card.needs)})


def camera_name(key: str) -> str:
    """Return a camera's name in a card, of its key in config.json: `top` of `observation.images.top`."""
    return key.removeprefix("observation.images.").removeprefix("observation.").replace(".", "_")


def generator(config: DiffusionConfig | ActConfig, sampler: str | None = None, steps: int | None = None) -> DiffusionSpec | DirectSpec:
    """Return how a bundle generates what LeRobot does with `config`; sampler, steps: instead of config's, for diffusion."""
    if isinstance(config, ActConfig):
        if sampler is not None or steps is not None:
            raise ConfigError("an act policy plans in one pass: it has no sampler and no steps. Leave them out.")
        return DirectSpec()
    return DiffusionSpec(
        clip_sample=config.clip_sample_range if config.clip_sample else None,
        clip_noise=False,
        train_steps=config.num_train_timesteps,
        schedule=config.beta_schedule,
        prediction=config.prediction_type,
        sampler=sampler or config.noise_scheduler_type.lower(),
        inference_steps=steps or config.num_inference_steps or config.num_train_timesteps,
    )


def _over_times(state: Normaliser, meaning: Meaning, times: int) -> Normaliser:
    """Return the normaliser of the low-dimensional observation: each signal, time after time."""
    cuts = np.cumsum(meaning.sizes(meaning.state))[:-1]
    parts = [np.concatenate([np.tile(part, times) for part in np.split(values, cuts)]) for values in (state.offset, state.scale)]
    return Normaliser(*parts)


def _digest(folder: Path) -> str:
    """Return the sha256 of the weights, which the bundle's version and provenance tell."""
    with (folder / "model.safetensors").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
