"""A bundle's card: everything that a policy promises and needs, as `card.yaml` says it (format 2).

Its graphs: `policy/graphs.py`. Unknown keys fail; nothing has a silent default.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tactus_core import files
from tactus_core.config import load_yaml, param
from tactus_core.errors import BundleError, ConfigError
from tactus_core.policy import parsing
from tactus_core.policy.graphs import standard_graphs
from tactus_core.policy.signals import ARM_SIGNALS, FELT, HAND_SIGNALS, POSES, CommandedSpec, JointsSpec, action_parts, observed_size
from tactus_core.policy.specs import (
    ChunkSpec,
    DiffusionSpec,
    DirectSpec,
    FileSpec,
    FlowSpec,
    GraphSpec,
    GroupSpec,
    LatentSpec,
    ObservationSpec,
    RemoteSpec,
    ResidualSpec,
    StreamSpec,
    encoder_stream,
    signature,
)
from tactus_core.types import ChunkKind, RobotDescription

FORMAT = 2


@dataclass(frozen=True)
class Card:
    """A bundle's contract; its parts: `policy/specs.py`.

    latent is None for kind `action`, normaliser where a server generates: such a bundle is this card alone. action: the action vector is
    their concatenation. groups: latencies of its channel groups.
    replan_s: age of a chunk at which the next is planned. validity_s: age past which a chunk is never played.
    training: provenance, free form (commit, seeds, episodes, steps, dataset hash, duration).
    residual: what corrects the fast policy, None where its word is the last.
    """

    name: str
    version: str
    kind: ChunkKind
    task: str
    robot: str
    joints: JointsSpec
    licence: str
    graphs: Mapping[str, GraphSpec]
    normaliser: FileSpec | None
    observation: ObservationSpec
    action: tuple[CommandedSpec, ...]
    groups: Mapping[str, GroupSpec]
    chunk: ChunkSpec
    latent: LatentSpec | None
    generator: DiffusionSpec | FlowSpec | DirectSpec | RemoteSpec
    streams: Mapping[str, StreamSpec]
    training: Mapping[str, Any]
    replan_s: float = param(doc="Age of a chunk at which the next one is planned.", low=0.01, high=10.0)
    validity_s: float = param(doc="Age past which a chunk is not played.", low=0.01, high=10.0)
    residual: ResidualSpec | None = None

    @property
    def id(self) -> str:
        """Name and version, as chunks, proposals and recordings carry it."""
        return f"{self.name}@{self.version}"

    @property
    def sample_shape(self) -> tuple[int, int]:
        """(T, C) of what the generator makes: a latent, or the action chunk with what lies before the observation."""
        if self.latent:
            return self.latent.steps, self.latent.channels
        return self.chunk.past_steps + self.chunk.steps, self.action_size

    @property
    def chunk_shape(self) -> tuple[int, int]:
        """Shape of a chunk's data: what the generator makes, without what lies before the observation."""
        return self.sample_shape[0] - self.chunk.past_steps, self.sample_shape[1]

    @property
    def row_dt_s(self) -> float:
        """Time between the rows of a chunk's data; they span the chunk."""
        return self.chunk.dt_s * self.chunk.steps / self.chunk_shape[0]

    @cached_property
    def low_dim_size(self) -> int:
        """L, the length of the low-dimensional observation."""
        return observed_size(self.observation.low_dim, self.joints)

    @property
    def observed_size(self) -> int:
        """L + E, the length of all that is observed in numbers (`policy/encoded.py`)."""
        return self.low_dim_size + self.observation.encoded_size

    @cached_property
    def action_size(self) -> int:
        """A, the length of the action vector."""
        return self.action_parts[-1][1].stop

    @cached_property
    def action_parts(self) -> list[tuple[CommandedSpec, slice]]:
        """Each part of the action vector and where in it it is."""
        return action_parts(self.action, self.joints)

    @property
    def observed_at_s(self) -> tuple[float, ...]:
        """The times of the low-dimensional observation and of its anchor, relative to its stamp, oldest first."""
        return tuple(sorted({0.0, *(at_s for of in self.observation.low_dim for at_s in of.at_s)}))

    @cached_property
    def needs(self) -> set[str]:
        """The streams that the policy is made of: what it feels, images, and what encoders that stand alone make."""
        return {*self.feels, *(["image"] if self.observation.cameras else []), *map(encoder_stream, self.observation.encoders)}

    @cached_property
    def feels(self) -> set[str]:
        """The streams of the robot's states: joint states, and what else is observed. So does a fast head what its window holds."""
        observed = {of.signal for of in self.observation.low_dim} | (set(self.latent.window) if self.latent else set())
        streams = {"wrench": "wrench" in observed, "tactile": "fingertip_force" in observed}
        return {"joint_states", *(name for name, needed in streams.items() if needed)}

    @property
    def lookback_s(self) -> float:
        """History of states that an observation needs."""
        return -self.observed_at_s[0]

    @property
    def feature_size(self) -> int:
        """F, the length of the encoder's features; 0 where the policy has no camera."""
        outputs = self.graphs["encoder"].outputs if "encoder" in self.graphs else ()
        return outputs[0].shape[-1] if outputs and outputs[0].shape else 0

    def check(self, source: str) -> None:
        """Raise BundleError where the parts of the card contradict each other or the contract of its kind."""
        if (self.latent is None) != (self.kind is ChunkKind.ACTION):
            raise BundleError(f"{source}: kind '{self.kind}' needs `latent` {'null' if self.latent else 'set'}. Export the bundle again.")
        self._check_layout(source)
        self._check_graphs(source)
        self._check_generator(source)
        self._check_times(source)

    def _check_layout(self, source: str) -> None:
        times = [(name, camera.at_s) for name, camera in self.observation.cameras.items()]
        times += [(encoder_stream(name), of.at_s) for name, of in self.observation.encoders.items()]
        for name, at_s in (*times, *((of.signal, of.at_s) for of in self.observation.low_dim)):
            if not at_s or len(set(at_s)) < len(at_s):
                raise BundleError(f"{source}: observation: '{name}' has the times {at_s}; expected at least one, and each once.")
        for name in (*self.observation.cameras, *self.observation.encoders):
            if not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
                raise BundleError(
                    f"{source}: observation: '{name}' is no name for a camera or an encoder, which names a topic; expected letters, "
                    "digits and underscores, a letter first. Rename it."
                )
        for name, camera in self.observation.cameras.items():
            if camera.shape[2] != 3 or camera.at_s[-1] != 0.0 or sorted(camera.at_s) != list(camera.at_s):
                raise BundleError(
                    f"{source}: observation: camera '{name}' gives {camera.shape} at {camera.at_s} s; expected (height, width, 3), and "
                    "times that rise to 0, the stamp of the observation. Correct them."
                )
        for limb, signals, wanted in (("arm", ARM_SIGNALS, (1,)), ("hand", HAND_SIGNALS, (0, 1))):
            named = [of.signal for of in self.action if of.signal in signals]
            if len(named) not in wanted:
                raise BundleError(f"{source}: action commands the {limb} by {named or 'nothing'}; expected one of {', '.join(signals)}.")
        if self.joints.hand == 0 and {of.signal for of in self.action} & set(HAND_SIGNALS):
            raise BundleError(
                f"{source}: action commands a hand, but joints.hand is 0. Leave that part out, or say how many joints it has."
            )
        if {of.group for of in self.action} != set(self.groups):
            raise BundleError(f"{source}: groups are {sorted(self.groups)}, the action has {sorted({of.group for of in self.action})}.")
        if self.latent and not (
            self.latent.window and len(set(self.latent.window)) == len(self.latent.window) and set(self.latent.window) <= set(FELT)
        ):
            raise BundleError(f"{source}: latent.window is {list(self.latent.window)}, expected some of {', '.join(FELT)}, each once.")
        if self.latent and self.chunk.past_steps:
            raise BundleError(f"{source}: chunk.past_steps is {self.chunk.past_steps}; a latent has none before the observation. Set 0.")
        if set(self.streams) != self.needs:
            raise BundleError(f"{source}: streams are {sorted(self.streams)}, expected {sorted(self.needs)}: each needs a maximum age.")
        if held := [name for name in map(encoder_stream, self.observation.encoders) if self.streams[name].reaction != "wait"]:
            raise BundleError(
                f"{source}: streams: '{held[0]}' has the reaction '{self.streams[held[0]].reaction}'; without an encoder's features "
                "nothing new is planned, and the chunk is played to its end: expected `reaction: wait`. Correct it."
            )

    def _check_graphs(self, source: str) -> None:
        wanted = standard_graphs(self, self.feature_size)
        if set(self.graphs) != set(wanted):
            raise BundleError(
                f"{source}: graphs are {sorted(self.graphs)}, kind '{self.kind}' with this observation and generator needs "
                f"{sorted(wanted)}. Export the bundle again."
            )
        for name, (inputs, outputs) in wanted.items():
            for side, got, expected in (("inputs", self.graphs[name].inputs, inputs), ("outputs", self.graphs[name].outputs, outputs)):
                if signature(got) != signature(expected):
                    raise BundleError(
                        f"{source}: {side} of graph '{name}' are {signature(got)}, by what the card observes and commands they are "
                        f"{signature(expected)}. Correct the card, or export the bundle again with this version of Tactus."
                    )

    def _check_generator(self, source: str) -> None:
        remote = isinstance(self.generator, RemoteSpec)
        if remote is not (self.normaliser is None):
            raise BundleError(f"{source}: generator and `normaliser` contradict each other: where a server generates there is none.")
        if isinstance(self.generator, RemoteSpec) and not (self.latent is None and self.generator.timeout_s < self.validity_s):
            raise BundleError(
                f"{source}: a server makes actions (latent: null), and answers within timeout_s ({self.generator.timeout_s}), which "
                f"has to be less than validity_s ({self.validity_s}). Correct them."
            )
        if isinstance(self.generator, RemoteSpec) and self.observation.encoders and self.generator.state != "low_dim":
            raise BundleError(
                f"{source}: generator.state is '{self.generator.state}', which leaves out what encoders that stand alone make. Set "
                "`state: low_dim`, or observe no encoders."
            )
        if self.residual and (remote or not {of.signal for of in self.action} & set(POSES)):
            raise BundleError(
                f"{source}: `residual` corrects the tcp pose that a bundle's own graphs command: this action has none of "
                f"{', '.join(POSES)}, or a server generates. Leave `residual` out."
            )
        if not isinstance(self.generator, DiffusionSpec):
            return
        clip = self.generator.clip_sample
        if not (clip is None or (isinstance(clip, float | int) and clip > 0.0)):
            raise BundleError(f"{source}: generator.clip_sample must be positive or null, got {clip!r}. Export the bundle again.")
        if self.generator.inference_steps > self.generator.train_steps:
            raise BundleError(
                f"{source}: generator.inference_steps is {self.generator.inference_steps}, it must not exceed train_steps, "
                f"{self.generator.train_steps}. Lower it."
            )

    def _check_times(self, source: str) -> None:
        if not self.replan_s < self.validity_s:
            raise BundleError(f"{source}: replan_s ({self.replan_s}) must be below validity_s ({self.validity_s}), or motion has gaps.")
        reach_s = self.chunk.dt_s * (self.chunk.steps - 1) - max(group.latency_s for group in self.groups.values())
        if self.validity_s > reach_s + 1e-9:
            raise BundleError(
                f"{source}: validity_s is {self.validity_s}, but {self.chunk.steps} entries {self.chunk.dt_s} s apart, less the longest "
                f"latency, reach {reach_s:.3f} s. Lower validity_s or plan further."
            )

    def require_robot(self, robot: RobotDescription) -> None:
        """Raise BundleError where the bundle is for another robot than this one."""
        if self.robot != robot.name:
            raise BundleError(
                f"bundle '{self.id}' is for robot '{self.robot}', this is '{robot.name}'. Choose a bundle for '{robot.name}'."
            )
        joints = JointsSpec(len(robot.arm_joints), len(robot.hand_joints))
        if self.joints != joints:
            raise BundleError(
                f"bundle '{self.id}' is for a robot of {self.joints.arm} and {self.joints.hand} joints, arm and hand; '{robot.name}' has "
                f"{joints.arm} and {joints.hand}. Export the bundle for this robot."
            )


def file_sha256(path: Path) -> str:
    """Return the hexadecimal sha256 of a file."""
    return hashlib.sha256(files.read(path)).hexdigest()


def load_card(path: Path) -> Card:
    """Read and check a `card.yaml`; raises BundleError, which names the key that is wrong."""
    try:
        values = load_yaml(path)
        if (got := values.pop("format", None)) != FORMAT:
            raise BundleError(f"{path}: got `format: {got}`, expected `format: {FORMAT}`. Export the bundle with this version of Tactus.")
        card = parsing.built(Card, values, path)
    except ConfigError as error:
        raise BundleError(str(error)) from None
    card.check(str(path))
    return card


def dump_card(card: Card, path: Path) -> None:
    """Write `card` so that `load_card` gives it back; raises BundleError where it contradicts itself."""
    card.check(str(path))
    path.write_text(yaml.safe_dump(plain_card(card), sort_keys=False, allow_unicode=True))


def plain_card(card: Card) -> dict[str, Any]:
    """Return a card in YAML's own types; where it has no residual, or no encoders that stand alone, it says nothing of them."""
    values: dict[str, Any] = parsing.plain({"format": FORMAT} | asdict(card))
    if not card.observation.encoders:
        del values["observation"]["encoders"]
    if card.residual is None:
        del values["residual"]
    return dict(values, generator=parsing.plain_generator(card.generator))
