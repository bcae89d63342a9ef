"""The signals that a card may name, and how many numbers each has. Frames, signs and units: docs/architecture.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from tactus_core.config import param

# Observed: the tcp's pose in base, or relative to the pose now; what is felt; joint positions.
OBSERVED = ("tcp_pose", "tcp_pose_relative", "wrench", "fingertip_force", "arm_position", "hand_position")
# Commanded to the arm: the tcp's pose in base, or relative to the anchor of the chunk; joint targets. To the hand: `press`, joint targets.
ARM_SIGNALS = ("tcp_pose", "tcp_pose_relative", "arm_position")
HAND_SIGNALS = ("press", "hand_position")
# What a row of the fast head's window may hold: time since the chunk's stamp [s]; as observed; the tcp's displacement along the anchor's
# z axis [m] and rotation about its x and y axes [rad].
_FELT_SIZES = {"age": 1, "wrench": 6, "fingertip_force": 4, "displacement": 3}
FELT = tuple(_FELT_SIZES)
# xyz, rot6d
POSES = ("tcp_pose", "tcp_pose_relative")
_SIZES = {"tcp_pose": 9, "tcp_pose_relative": 9, "wrench": 6, "fingertip_force": 4, "press": 1}


@dataclass(frozen=True)
class JointsSpec:
    """How many joints the bundle's robot has; sizes of signals follow from them."""

    arm: int = param(doc="Joints of the arm.", low=1, high=64)
    hand: int = param(doc="Joints of the hand; 0: there is none.", low=0, high=64)


def signal_size(signal: str, joints: JointsSpec) -> int:
    """Return how many numbers a signal has at one time."""
    return (_SIZES | {"arm_position": joints.arm, "hand_position": joints.hand})[signal]


@dataclass(frozen=True)
class ObservedSpec:
    """A signal that is observed. at_s: when, relative to the observation's stamp."""

    signal: str = param(doc="What is observed.", choices=OBSERVED)
    at_s: tuple[float, ...] = param(doc="Times relative to the observation, none after it.", low=-10.0, high=0.0)


@dataclass(frozen=True)
class CommandedSpec:
    """A part of the action vector. group: the channel group that it belongs to, which has a latency of its own."""

    group: str
    signal: str = param(doc="What is commanded.", choices=(*ARM_SIGNALS, *HAND_SIGNALS))


def observed_size(layout: Sequence[ObservedSpec], joints: JointsSpec) -> int:
    """Return the length of a low-dimensional observation."""
    return sum(len(of.at_s) * signal_size(of.signal, joints) for of in layout)


def felt_size(signals: Sequence[str]) -> int:
    """Return the length of a row of the fast head's window."""
    return sum(_FELT_SIZES[signal] for signal in signals)


def felt_parts(signals: Sequence[str]) -> dict[str, slice]:
    """Return where in a row of the fast head's window each signal is."""
    ends = accumulate((_FELT_SIZES[signal] for signal in signals), initial=0)
    return {signal: slice(*span) for signal, span in zip(signals, pairwise(ends), strict=True)}


def action_parts(layout: Sequence[CommandedSpec], joints: JointsSpec) -> list[tuple[CommandedSpec, slice]]:
    """Return each part of an action vector and where in it it is."""
    ends = accumulate((signal_size(of.signal, joints) for of in layout), initial=0)
    return [(of, slice(*span)) for of, span in zip(layout, pairwise(ends), strict=True)]
