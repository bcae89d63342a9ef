"""A Reactive Diffusion Policy → a bundle: what its checkpoint leaves open is said by whoever knows the robot, and checked against it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tactus_core.errors import ConfigError
from tactus_core.policy.bundle import Normaliser
from tactus_core.policy.card import Card
from tactus_core.policy.signals import ARM_SIGNALS, CommandedSpec, JointsSpec, ObservedSpec
from tactus_core.policy.specs import CameraSpec, ChunkSpec, FileSpec, GroupSpec, LatentSpec, ObservationSpec, StreamSpec
from tactus_core.types import ChunkKind, RobotDescription
from tactus_models.export import write_bundle
from tactus_models.rdp.checkpoint import Checkpoint, Field
from tactus_models.rdp.networks import Signs, networks


@dataclass(frozen=True)
class Meaning:
    """What a checkpoint's numbers are on a robot.

    gripper: (zero_rad, rad_per_m) of the hand's only joint: at width w it is at zero_rad + rad_per_m · w, which may fall with w.
    bgr: images are as OpenCV, and RDP's own recorder with it, orders colours. name: of the task, None: as RDP's configuration has it.
    """

    robot: RobotDescription
    gripper: tuple[float, float] | None
    bgr: bool
    task: str | None

    def check(self, checkpoint: Checkpoint) -> None:
        """Raise ConfigError where the checkpoint has a gripper and the robot none that was told, or the other way round."""
        config = checkpoint.config
        wanted = "hand_position" in (*config.observed.values(), *config.action)
        if wanted and (len(self.robot.hand_joints) != 1 or self.gripper is None or not self.gripper[1]):
            raise ConfigError(
                f"the checkpoint has a gripper's width; '{self.robot.name}' has {len(self.robot.hand_joints)} hand joints. Name a robot "
                "whose hand has one joint, and say --gripper ZERO_RAD RAD_PER_M: where that joint is at width 0, and how it moves."
            )
        if self.gripper is not None and not wanted:
            raise ConfigError("--gripper is said, but the checkpoint has no gripper. Leave it out.")

    def in_units(self, signals: Sequence[str], fields: Sequence[Field]) -> list[tuple[Normaliser, NDArray[np.float32]]]:
        """Return the normaliser of each signal in the robot's units, and the sign (n,) by which what it gives has to be multiplied."""
        zero, unit = self.gripper or (0.0, 1.0)
        found = []
        for signal, field in zip(signals, fields, strict=True):
            z, u = (zero, unit) if signal == "hand_position" else (0.0, 1.0)
            scale = u / field.scale
            offset = z - u * field.offset / field.scale
            found.append((Normaliser(offset.astype(np.float32), np.abs(scale).astype(np.float32)), np.sign(scale).astype(np.float32)))
        return found


def import_checkpoint(
    path: Path,
    meaning: Meaning,
    name: str,
    into: Path,
    tokenizer: Path | None = None,
    rate_hz: float | None = None,
    steps: int | None = None,
) -> Card:
    """Write the bundle of a checkpoint, and compare its graphs with the networks that they were made of.

    path, tokenizer, rate_hz: see `Checkpoint.load`; steps: of denoising, instead of RDP's 8. Raises ConfigError for what is not supported
    or does not fit the robot, DataError for damaged files, BundleError where ONNX Runtime and torch differ.
    """
    checkpoint = Checkpoint.load(path, tokenizer, rate_hz)
    meaning.check(checkpoint)
    config, fields = checkpoint.config, checkpoint.fields
    observed = meaning.in_units(list(config.observed.values()), [fields[key] for key in config.observed])
    touch = meaning.in_units(list(config.touch.values()), [fields[key] for key in config.touch])
    commanded = meaning.in_units(config.action, _split(fields["action"], config.action))
    signs = Signs([torch.from_numpy(sign) for _, sign in observed], torch.from_numpy(np.concatenate([sign for _, sign in commanded])))
    features, modules = networks(checkpoint, signs, meaning.bgr, path)
    latent = fields["latent_action"]
    normalisers = {
        "low_dim": _joined([of for of, _ in observed], config.obs_steps),
        "action": _joined([of for of, _ in commanded]),
        "window": _joined([of for of, _ in touch]),
        "latent": Normaliser((-latent.offset / latent.scale).astype(np.float32), (1.0 / latent.scale).astype(np.float32)),
    }
    return write_bundle(_card(checkpoint, meaning, name, steps), features, modules, normalisers, into)


def _split(field: Field, signals: Sequence[str]) -> list[Field]:
    cuts = [9] if len(signals) > 1 else []
    return [Field(*parts) for parts in zip(np.split(field.scale, cuts), np.split(field.offset, cuts), strict=True)]


def _joined(parts: Sequence[Normaliser], times: int = 1) -> Normaliser:
    """Return one normaliser for several signals, each time after time."""
    return Normaliser(*(np.concatenate([np.tile(getattr(of, name), times) for of in parts]) for name in ("offset", "scale")))


def _card(checkpoint: Checkpoint, meaning: Meaning, name: str, steps: int | None) -> Card:
    """Return the card without its files."""
    config, dt_s = checkpoint.config, 1.0 / checkpoint.config.rate_hz
    at_s = tuple(round(-n * config.obs_stride * dt_s, 9) + 0.0 for n in reversed(range(config.obs_steps)))
    rows, channels = config.latent
    # RDP labels what it records with the state one step later, so that row `before` is what to do at the observation.
    planned = config.horizon - config.before
    groups = ["arm" if signal in ARM_SIGNALS else "hand" for signal in config.action]
    waits, holds = StreamSpec(0.3, "wait"), StreamSpec(0.05, "hold")
    digest = _digest(checkpoint)
    card = Card(
        name=name,
        version=digest[:12],
        kind=ChunkKind.LATENT,
        task=meaning.task or config.task,
        robot=meaning.robot.name,
        joints=JointsSpec(len(meaning.robot.arm_joints), len(meaning.robot.hand_joints)),
        licence="of the checkpoint",
        graphs={},
        normaliser=FileSpec("", ""),
        observation=ObservationSpec(
            cameras={key.removesuffix("_img"): CameraSpec((*size, 3), at_s) for key, size in config.images.items()},
            low_dim=tuple(ObservedSpec(signal, at_s) for signal in config.observed.values()),
        ),
        action=tuple(CommandedSpec(group, signal) for group, signal in zip(groups, config.action, strict=True)),
        groups={group: GroupSpec(0.0) for group in groups},
        chunk=ChunkSpec(dt_s=dt_s, steps=planned, past_steps=0),
        latent=LatentSpec(rows, channels, dt_s, config.before * dt_s, tuple(config.touch.values())),
        generator=replace(config.generator, inference_steps=steps or config.generator.inference_steps),
        streams={},
        training={"from": "Reactive Diffusion Policy", "task": config.task, "weights_sha256": digest},
        replan_s=min(config.replan_steps, planned - 2) * dt_s,
        validity_s=dt_s * (planned - 1),
    )
    return replace(card, streams={stream: waits if stream == "image" else holds for stream in sorted(card.needs)})


def _digest(checkpoint: Checkpoint) -> str:
    """Return the sha256 of the weights, whatever file they came from, which the bundle's version and provenance tell."""
    digest = hashlib.sha256()
    weights: Mapping[str, torch.Tensor] = checkpoint.weights
    for name in sorted(weights):
        digest.update(name.encode() + np.ascontiguousarray(weights[name].numpy()).tobytes())
    return digest.hexdigest()
