"""What a recording has to offer to be replayed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tactus_core.types import Array

# Streams and the values of their samples. Frames and signs: docs/architecture.md, unless the recording's notes say otherwise.
JOINT_STATES = "joint_states"  # Joints
WRENCH = "wrench"  # (6,) force_N, torque_Nm in the tcp frame
WRENCH_RAW = "wrench/raw"  # the same, as the sensor gave it: bias and glitches are in it; NaN: not measured
TACTILE = "tactile"  # (fingers, taxels, 6) x y z [m], fx fy fz [N]
IMAGE = "camera/image"  # (H, W, 3) uint8, rgb
TOUCH_IMAGE = "optical_touch/image"  # (H, W, 3) uint8, rgb, of a gel
TCP_POSITION = "recorded/tcp_position"  # (3,) m, in the frame that the notes name


@dataclass(frozen=True)
class Joints:
    """Joint states: names, positions [rad], velocities [rad/s] (empty: not recorded)."""

    names: tuple[str, ...]
    position_rad: Array
    velocity_rad_s: Array


@dataclass(frozen=True)
class Sample:
    """One value of one stream. time_s: when it arrived, from the recording's start. stamp_s: when it was captured, on the same clock."""

    time_s: float
    stamp_s: float
    stream: str
    value: Any


@dataclass(frozen=True)
class RecordingInfo:
    """What is known of a recording before it is played.

    counts: samples by stream. rate_Hz: sample rate of the first stream, and `rate_source`, where that figure comes from.
    notes: what a reader of results must know, one sentence each. start_s: time 0 on the clock of the recording, 0 where that is unknown.
    """

    format: str
    duration_s: float
    counts: Mapping[str, int]
    rate_Hz: float
    rate_source: str
    notes: tuple[str, ...] = ()
    start_s: float = 0.0


class Recording(Protocol):
    """A recording that has been checked; it can be played any number of times."""

    info: RecordingInfo

    def samples(self) -> Iterator[Sample]:
        """Yield all samples in the order of their `time_s`. Raises DataError where the file is damaged."""
        ...
