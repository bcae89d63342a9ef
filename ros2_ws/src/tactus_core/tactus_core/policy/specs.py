"""The parts of a card, as `card.yaml` spells them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from tactus_core.config import param
from tactus_core.errors import ConfigError
from tactus_core.policy.signals import FELT, ObservedSpec, felt_size
from tactus_core.types import Array


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


def signature(tensors: tuple[TensorSpec, ...]) -> list[tuple[str, tuple[int, ...], str]]:
    """Return what must agree between a card and its graph: names, shapes and dtypes."""
    return [(t.name, t.shape, t.dtype) for t in tensors]


@dataclass(frozen=True)
class FileSpec:
    """A file of the bundle that is not a graph."""

    file: str
    sha256: str


@dataclass(frozen=True)
class CameraSpec:
    """A camera whose images are observed, rgb uint8. at_s: when, relative to the observation's stamp, which is that of an image."""

    shape: tuple[int, int, int] = param(doc="Height, width, 3.", low=1, high=8192)
    at_s: tuple[float, ...] = param(doc="Times relative to the observation, the last one 0.", low=-10.0, high=0.0)


@dataclass(frozen=True)
class EncoderSpec:
    """An encoder that stands alone, whose features are observed (`policy/encoded.py`). at_s: when, relative to the observation's stamp.

    sha256: of its own card, which has the hash of each of its files. How old they may be: the stream `encoder/NAME`.
    """

    sha256: str
    features: int = param(doc="Length of the features at one time.", low=1, high=65_536)
    at_s: tuple[float, ...] = param(doc="Times relative to the observation, none after it.", low=-10.0, high=0.0)

    def __post_init__(self) -> None:
        """Refuse what is no hash: whoever tells none would be taken for this encoder."""
        if not re.fullmatch("[0-9a-f]{64}", str(self.sha256)):
            raise ConfigError(
                f"sha256 of an encoder's card is {self.sha256!r}, expected 64 hexadecimal digits: sha256sum FOLDER/card.yaml."
            )


@dataclass(frozen=True)
class ObservationSpec:
    """What the slow policy observes. low_dim: the vector is their concatenation, each signal time after time; so are encoders' features."""

    cameras: Mapping[str, CameraSpec]
    low_dim: tuple[ObservedSpec, ...]
    encoders: Mapping[str, EncoderSpec] = field(default_factory=dict)

    @property
    def encoded_size(self) -> int:
        """E, the numbers that encoders which stand alone make of an observation."""
        return sum(len(of.at_s) * of.features for of in self.encoders.values())

    @property
    def leader(self) -> str | None:
        """The stream that leads: an observation is made when its sample comes, and has its stamp. None: the touch that is felt.

        It is what the cameras see, or, of a policy without one, what its first encoder makes.
        """
        return "image" if self.cameras else next(map(encoder_stream, self.encoders), None)


@dataclass(frozen=True)
class ChunkSpec:
    """The stretch of motion that one inference plans: entry i belongs at t_obs + i · dt_s."""

    dt_s: float = param(doc="Time between entries.", low=0.001, high=1.0)
    steps: int = param(doc="Entries.", low=2, high=1000)
    past_steps: int = param(doc="Entries before t_obs that an action policy makes and nobody plays.", low=0, high=100)


@dataclass(frozen=True)
class LatentSpec:
    """Size of a latent chunk, and the window of touch with which the fast head decodes it.

    window: what a row holds, in order, of `signals.FELT`.
    """

    steps: int = param(doc="Rows.", low=1, high=1000)
    channels: int = param(doc="Columns.", low=1, high=1000)
    window_dt_s: float = param(doc="Grid of the fast window.", low=0.001, high=1.0)
    window_before_s: float = param(0.0, doc="How long before the chunk's stamp the window begins.", low=0.0, high=10.0)
    window: tuple[str, ...] = param(FELT, doc="What a row of the window holds.")

    @property
    def window_size(self) -> int:
        """Numbers in a row of the window."""
        return felt_size(self.window)


@dataclass(frozen=True)
class DiffusionSpec:
    """How the denoiser was trained and how it is sampled. clip_sample: bound of |x0| in normalised units, or None.

    clip_noise: where the clean estimate is clipped, the noise that belongs to it is used; false: the noise as predicted, as diffusers'
    DDIM does unless told (`use_clipped_model_output`), and LeRobot with it.
    """

    clip_sample: float | None
    clip_noise: bool
    train_steps: int = param(doc="Noise levels in training.", low=2, high=10000)
    schedule: str = param(doc="Noise schedule.", choices=("squaredcos_cap_v2", "linear"))
    prediction: str = param(doc="What the denoiser predicts.", choices=("epsilon", "sample"))
    sampler: str = param(doc="How a sample is drawn.", choices=("ddim", "ddpm", "dpmsolver++"))
    inference_steps: int = param(doc="Denoiser calls per chunk.", low=1, high=1000)


@dataclass(frozen=True)
class FlowSpec:
    """A velocity field, followed from noise to the sample by Euler's method."""

    inference_steps: int = param(doc="Denoiser calls per chunk.", low=1, high=1000)


@dataclass(frozen=True)
class DirectSpec:
    """One pass of a planner; no noise."""

    inference_steps: ClassVar[int] = 1


@dataclass(frozen=True, kw_only=True)
class RemoteSpec:
    """A policy server that speaks openpi's protocol, how long it may take, and what is sent and answered: remote/contract.py."""

    url: str = param(doc="Policy server, ws://HOST:PORT.")
    timeout_s: float = param(0.4, low=0.01, high=5.0, doc="Time from a question to its answer, connecting included.")
    retry_first_s: float = param(0.1, low=0.001, high=10.0, doc="Wait before the second attempt to connect anew; it doubles each time.")
    retry_longest_s: float = param(2.0, low=0.001, high=60.0, doc="Longest wait between two attempts.")
    seen_key: str = param("observation/image", doc="Key under which the image, or its features, are sent.")
    state_key: str = param("observation/state", doc="Key under which the robot's state is sent.")
    state: str = param("pose", choices=("low_dim", "pose"), doc="What is sent of the robot.")
    actions: str = param("pose", choices=("anchored", "pose"), doc="What the rows of the answer mean.")


AXES = ("all", "z")  # that a residual may correct
GENERATORS: Mapping[str, type] = {"diffusion": DiffusionSpec, "flow": FlowSpec, "direct": DirectSpec, "remote": RemoteSpec}


@dataclass(frozen=True)
class ExplorationSpec:
    """What a residual tries beside what it has learnt, within its limits (`policy/exploring.py`)."""

    noise: float = param(doc="Largest std of the noise on its decisions, a share of the limits.", low=0.0, high=1.0)
    noise_time_s: float = param(doc="How long the noise keeps its direction.", low=0.0, high=10.0)


@dataclass(frozen=True)
class ResidualSpec:
    """A bounded correction of what the fast policy proposes (`policy/residual.py`). exploration: None where it does what it has learnt."""

    dt_s: float = param(doc="Time between two decisions; a decision is held.", low=0.005, high=1.0)
    limit_m: float = param(doc="Largest correction along each axis of the tool.", low=0.0, high=0.05)
    limit_rad: float = param(doc="Largest correction about each axis of the tool.", low=0.0, high=0.5)
    exploration: ExplorationSpec | None = None
    axes: str = param("all", choices=AXES, doc="What is corrected; z: along the axis out of the tool alone.")

    @property
    def limits(self) -> Array:
        """Largest correction (6,): along [m], then about [rad], the tool's axes."""
        return np.repeat([self.limit_m, self.limit_rad], 3) * (np.ones(6) if self.axes == "all" else np.eye(6)[2])


@dataclass(frozen=True)
class GroupSpec:
    """Channels of the action that reach the robot together, `latency_s` after they are sent."""

    latency_s: float = param(doc="From sending to effect.", low=0.0, high=1.0)


@dataclass(frozen=True)
class StreamSpec:
    """A stream that the policy needs. reaction when it is older: `wait`: plan nothing new; `hold`: propose nothing, the guard holds."""

    max_age_s: float = param(doc="Oldest sample that may be used.", low=0.001, high=10.0)
    reaction: str = param(doc="What happens when it is older.", choices=("wait", "hold"))


def encoder_stream(name: str) -> str:
    """Return the name of the stream of an encoder that stands alone."""
    return f"encoder/{name}"
