"""A bundle's card: everything that a policy promises and needs, as `card.yaml` says it (format 1).

    encoder   image uint8 (1,96,96,3) → features float32 (1,F)
    denoiser  sample (1,T,C), timestep int64 (1,), condition (1,D) → noise (1,T,C);  D = F + 76: features, then normalised low_dim
    fast_head (kind `latent` only)  latent (1,T,C) un-normalised, window (1,n,14) normalised → action (1,10) normalised, for the last row
    residual  (where the card has `residual`)  observation (1,82) normalised → correction (1,6), shares of the limits, −1..1

A normalised value is `(x − offset) / scale`. Unknown keys fail; nothing has a silent default.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from tactus_core.config import from_mapping, load_yaml, param
from tactus_core.errors import BundleError, ConfigError
from tactus_core.policy.residual_spec import TWIST_SIZE, ResidualSpec
from tactus_core.types import ChunkKind

FORMAT = 1
IMAGE_SHAPE = (96, 96, 3)
LOW_DIM_SIZE = 76
WINDOW_SIZE = 14
ACTION_SIZE = 10
GROUPS = {"arm": tuple(range(9)), "hand": (9,)}
STREAMS = ("image", "joint_states", "wrench", "tactile")


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a graph; −1 in `shape` is a dynamic dimension, `note` says unit and frame."""

    name: str
    shape: tuple[int, ...]
    dtype: str = param(doc="As numpy names it.", choices=("float32", "int64", "uint8"))
    note: str = ""


@dataclass(frozen=True)
class GraphSpec:
    """An ONNX file of the bundle and what goes in and out of it."""

    file: str
    sha256: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


@dataclass(frozen=True)
class FileSpec:
    """A file of the bundle that is not a graph."""

    file: str
    sha256: str


@dataclass(frozen=True)
class ChunkSpec:
    """The stretch of motion that one inference plans: entry i belongs at t_obs + i · dt_s."""

    dt_s: float = param(doc="Time between entries.", low=0.001, high=1.0)
    steps: int = param(doc="Entries.", low=2, high=1000)


@dataclass(frozen=True)
class LatentSpec:
    """Size of a latent chunk, which the fast head decodes."""

    steps: int = param(doc="Rows.", low=1, high=1000)
    channels: int = param(doc="Columns.", low=1, high=1000)


@dataclass(frozen=True)
class DiffusionSpec:
    """How the denoiser was trained and how it is sampled. clip_sample: bound of |x0| in normalised units, or None."""

    clip_sample: float | None
    train_steps: int = param(doc="Noise levels in training.", low=2, high=10000)
    schedule: str = param(doc="Noise schedule.", choices=("squaredcos_cap_v2",))
    prediction: str = param(doc="What the denoiser predicts.", choices=("epsilon",))
    inference_steps: int = param(doc="Denoiser calls per chunk.", low=1, high=1000)


@dataclass(frozen=True)
class GroupSpec:
    """Channels of the action that reach the robot together, `latency_s` after they are sent."""

    channels: tuple[int, ...]
    latency_s: float = param(doc="From sending to effect.", low=0.0, high=1.0)


@dataclass(frozen=True)
class StreamSpec:
    """A stream that the policy needs. reaction when it is older: `wait`: plan nothing new; `hold`: propose nothing, the guard holds."""

    max_age_s: float = param(doc="Oldest sample that may be used.", low=0.001, high=10.0)
    reaction: str = param(doc="What happens when it is older.", choices=("wait", "hold"))


@dataclass(frozen=True)
class Card:
    """A bundle's contract; see the module's docstring for the graphs. residual is None where the fast policy's word is the last.

    latent is None for kind `action`. window_dt_s: grid of the fast head's window. replan_s: age of a chunk at which the next is planned.
    validity_s: age past which a chunk is never played. lookback_s: history that the observation reaches back. training: provenance.
    """

    name: str
    version: str
    kind: ChunkKind
    task: str
    robot: str
    licence: str
    graphs: Mapping[str, GraphSpec]
    normaliser: FileSpec
    chunk: ChunkSpec
    latent: LatentSpec | None
    diffusion: DiffusionSpec
    groups: Mapping[str, GroupSpec]
    streams: Mapping[str, StreamSpec]
    training: Mapping[str, Any]
    window_dt_s: float = param(doc="Grid of the fast window.", low=0.001, high=1.0)
    replan_s: float = param(doc="Age of a chunk at which the next one is planned.", low=0.01, high=10.0)
    validity_s: float = param(doc="Age past which a chunk is not played.", low=0.01, high=10.0)
    lookback_s: float = param(doc="History that an observation needs.", low=0.0, high=10.0)
    residual: ResidualSpec | None = None

    @property
    def id(self) -> str:
        """Name and version, as chunks, proposals and recordings carry it."""
        return f"{self.name}@{self.version}"

    @property
    def sample_shape(self) -> tuple[int, int]:
        """(T, C) of what the denoiser makes: a latent, or the action chunk itself."""
        return (self.latent.steps, self.latent.channels) if self.latent else (self.chunk.steps, ACTION_SIZE)

    @property
    def sample_dt_s(self) -> float:
        """Time between the rows of what the denoiser makes; they span the chunk."""
        return self.chunk.dt_s * self.chunk.steps / self.sample_shape[0]

    @property
    def feature_size(self) -> int:
        """F, the length of the encoder's features."""
        outputs = self.graphs["encoder"].outputs if "encoder" in self.graphs else ()
        return outputs[0].shape[-1] if outputs and outputs[0].shape else 0

    def check(self, source: str) -> None:
        """Raise BundleError where the parts of the card contradict each other or the contract of its kind."""
        if (self.latent is None) != (self.kind is ChunkKind.ACTION):
            raise BundleError(f"{source}: kind '{self.kind}' needs `latent` {'null' if self.latent else 'set'}. Export the bundle again.")
        wanted = standard_graphs(self.kind, self.feature_size, self.sample_shape, self.residual is not None)
        if set(self.graphs) != set(wanted):
            raise BundleError(f"{source}: graphs are {sorted(self.graphs)}, kind '{self.kind}' needs {sorted(wanted)}. Export it again.")
        for name, (inputs, outputs) in wanted.items():
            for side, got, expected in (("inputs", self.graphs[name].inputs, inputs), ("outputs", self.graphs[name].outputs, outputs)):
                if signature(got) != signature(expected):
                    raise BundleError(
                        f"{source}: {side} of graph '{name}' are {signature(got)}, the contract of kind '{self.kind}' "
                        f"is {signature(expected)}. Export the bundle again with this version of Tactus."
                    )
        channels = {name: group.channels for name, group in self.groups.items()}
        if channels != GROUPS:
            raise BundleError(f"{source}: the groups' channels are {channels}, the action vector has {GROUPS}. Export the bundle again.")
        if set(self.streams) != set(STREAMS):
            raise BundleError(f"{source}: streams are {sorted(self.streams)}, expected {sorted(STREAMS)}: each needs a maximum age.")
        clip = self.diffusion.clip_sample
        if not (clip is None or (isinstance(clip, float | int) and clip > 0.0)):
            raise BundleError(f"{source}: diffusion.clip_sample must be positive or null, got {clip!r}. Export the bundle again.")
        if self.diffusion.inference_steps > self.diffusion.train_steps:
            raise BundleError(
                f"{source}: diffusion.inference_steps is {self.diffusion.inference_steps}, it must not exceed train_steps, "
                f"{self.diffusion.train_steps}. Lower it."
            )
        if not self.replan_s < self.validity_s:
            raise BundleError(f"{source}: replan_s ({self.replan_s}) must be below validity_s ({self.validity_s}), or motion has gaps.")
        reach_s = self.chunk.dt_s * (self.chunk.steps - 1) - max(group.latency_s for group in self.groups.values())
        if self.validity_s > reach_s + 1e-9:
            raise BundleError(
                f"{source}: validity_s is {self.validity_s}, but {self.chunk.steps} entries {self.chunk.dt_s} s apart, less the longest "
                f"latency, reach {reach_s:.3f} s. Lower validity_s or plan further."
            )


def signature(tensors: tuple[TensorSpec, ...]) -> list[tuple[str, tuple[int, ...], str]]:
    """Return what must agree between a card and its graph: names, shapes and dtypes."""
    return [(t.name, t.shape, t.dtype) for t in tensors]


def standard_graphs(
    kind: ChunkKind, feature_size: int, sample_shape: tuple[int, int], residual: bool = False
) -> dict[str, tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]]:
    """Return (inputs, outputs) of every graph that a bundle of `kind` has, by name: the contract that an exporter follows."""
    sample = (1, *sample_shape)
    graphs: dict[str, tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]] = {
        "encoder": (
            (TensorSpec("image", (1, *IMAGE_SHAPE), "uint8", "rgb, 0..255"),),
            (TensorSpec("features", (1, feature_size), "float32", "no unit"),),
        ),
        "denoiser": (
            (
                TensorSpec("sample", sample, "float32", "normalised"),
                TensorSpec("timestep", (1,), "int64", "noise level, 0 is the cleanest"),
                TensorSpec("condition", (1, feature_size + LOW_DIM_SIZE), "float32", "features, then normalised low_dim"),
            ),
            (TensorSpec("noise", sample, "float32", "normalised"),),
        ),
    }
    if kind is ChunkKind.LATENT:
        graphs["fast_head"] = (
            (
                TensorSpec("latent", sample, "float32", "as the tokenizer gives it"),
                TensorSpec("window", (1, -1, WINDOW_SIZE), "float32", "normalised; oldest row first, window_dt_s apart"),
            ),
            (TensorSpec("action", (1, ACTION_SIZE), "float32", "normalised; anchor frame; for the last row"),),
        )
    if residual:
        graphs["residual"] = (
            (TensorSpec("observation", (1, LOW_DIM_SIZE + TWIST_SIZE), "float32", "normalised; low_dim, then what is proposed"),),
            (TensorSpec("correction", (1, TWIST_SIZE), "float32", "shares of the limits, -1..1; tool: translation, rotation vector"),),
        )
    return graphs


def file_sha256(path: Path) -> str:
    """Return the hexadecimal sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_card(path: Path) -> Card:
    """Read and check a `card.yaml`; raises BundleError, which names the key that is wrong."""
    try:
        values = load_yaml(path)
        if values.pop("format", None) != FORMAT:
            raise BundleError(f"{path}: expected `format: {FORMAT}`. Export the bundle with this version of Tactus.")
        card = _card(values, str(path))
    except ConfigError as error:
        raise BundleError(str(error)) from None
    card.check(str(path))
    return card


def dump_card(card: Card, path: Path) -> None:
    """Write `card` so that `load_card` gives it back; raises BundleError where it contradicts itself."""
    card.check(str(path))
    plain = _plain({"format": FORMAT} | asdict(card))
    if card.residual is None:
        del plain["residual"]
    path.write_text(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))


def _plain(value: Any) -> Any:
    """Return `value` in YAML's own types: tuples as lists, enums as strings."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, ChunkKind) else value


def _card(values: dict[str, Any], source: str) -> Card:
    parts = {"normaliser": FileSpec, "chunk": ChunkSpec, "diffusion": DiffusionSpec}
    parts |= {name: cls for name, cls in {"latent": LatentSpec, "residual": ResidualSpec}.items() if values.get(name) is not None}
    built: dict[str, Any] = {name: _part(cls, values.get(name), f"{source}: {name}") for name, cls in parts.items() if name in values}
    for name, cls in {"groups": GroupSpec, "streams": StreamSpec}.items():
        if name in values:
            entries = _mapping(values[name], f"{source}: {name}")
            built[name] = {key: _part(cls, entry, f"{source}: {name}.{key}") for key, entry in entries.items()}
    if "graphs" in values:
        graphs = _mapping(values["graphs"], f"{source}: graphs")
        built["graphs"] = {key: _graph(entry, f"{source}: graphs.{key}") for key, entry in graphs.items()}
    if "kind" in values:
        if values["kind"] not in list(ChunkKind):
            raise BundleError(f"{source}: kind is {values['kind']!r}, expected one of {', '.join(ChunkKind)}.")
        built["kind"] = ChunkKind(values["kind"])
    return from_mapping(Card, values | built, source)


def _mapping(values: Any, source: str) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise BundleError(f"{source}: expected a mapping, got {values!r}. Compare with the card of a shipped bundle.")
    return values


def _part(cls: type, values: Any, source: str) -> Any:
    return from_mapping(cls, _mapping(values, source), source)


def _graph(values: Any, source: str) -> GraphSpec:
    values = dict(_mapping(values, source))
    for side in ("inputs", "outputs"):
        if isinstance(values.get(side), list):
            values[side] = tuple(_part(TensorSpec, tensor, f"{source}.{side}[{i}]") for i, tensor in enumerate(values[side]))
    return from_mapping(GraphSpec, values, source)
