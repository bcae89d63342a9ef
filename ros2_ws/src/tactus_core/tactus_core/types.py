"""What crosses the boundaries between Tactus' parts. Frames, signs and units: docs/architecture.md."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RobotState:
    """Everything that the fast loop knows of the robot at one capture time.

    stamp_s: capture time, seconds. T_base_tcp: (4,4) measured tcp pose. wrench_tcp: (6,) force_N then torque_Nm that the environment
    applies to the tool, in the tcp frame. fingertip_force_N: (4,) normal force per fingertip. hand_position_rad: (16,).
    arm_position_rad: (7,), and hand_effort_Nm: (16,) torque of the hand's motors; None where nobody reports it. What is not known is NaN.
    """

    stamp_s: float
    T_base_tcp: Array
    wrench_tcp: Array
    fingertip_force_N: Array
    hand_position_rad: Array
    arm_position_rad: Array | None = None
    hand_effort_Nm: Array | None = None


class ChunkKind(StrEnum):
    """How the rows of a chunk are to be read."""

    LATENT = "latent"
    ACTION = "action"


@dataclass(frozen=True)
class ActionChunk:
    """A stretch of planned motion; entry i belongs at `stamp_s + i * dt_s`.

    stamp_s: stamp of the observation that it answers. data: (steps, channels) float32; a latent, or actions in physical units relative to
    `T_base_anchor` (4,4), the measured tcp pose at `stamp_s`. sequence counts chunks of one policy from 1. bundle_hash: sha256 of the card
    of the bundle that made it.
    """

    stamp_s: float
    kind: ChunkKind
    dt_s: float
    data: NDArray[np.float32]
    T_base_anchor: Array
    sequence: int
    bundle: str
    bundle_hash: str = ""


@dataclass(frozen=True)
class Target:
    """What a robot is asked to do now: tcp pose target in `base` (4,4), and the hand's 16 joint targets (None: leave the hand as it is).

    arm_rad: (7,) joint targets, of an arm that is commanded by joints; `T_base_tcp` then says where they put the tcp, and no more.
    """

    T_base_tcp: Array
    hand_rad: Array | None
    arm_rad: Array | None = None


@dataclass(frozen=True)
class Proposal:
    """A target as one source would like it, before the guard. stamp_s: of the touch sample (or human input) that it answers.

    release: the source gives control back, and its target is not read. bundle_hash: sha256 of the card of the policy's bundle.
    """

    stamp_s: float
    source: str
    target: Target
    chunk_sequence: int = 0
    bundle: str = ""
    release: bool = False
    bundle_hash: str = ""


@dataclass(frozen=True)
class Capsule:
    """A solid around a link, or a part of one: all points within `radius_m` of the line from `start_m` to `end_m`, in the link's frame."""

    link: str
    start_m: tuple[float, float, float]
    end_m: tuple[float, float, float]
    radius_m: float


@dataclass(frozen=True)
class RobotDescription:
    """A robot as policies, guard and simulator need to know it; found by entry point `tactus.robots`.

    urdf: call to get the path of its URDF (may generate it). arm_joints, hand_joints: names, in command order.
    tcp_frame: name of the URDF link that is the tcp. q_home_rad: (7,) arm posture at the start.
    hand_rest_rad, hand_grip_rad: (16,) postures for press 0 and press 1.
    fingers: for each fingertip, in the order of `fingertip_force_N`, the names of the joints that move it.
    capsules: solids around the links, from the base to the hand; those of one link, or of links next to each other, may touch.
    """

    name: str
    urdf: Callable[[], Path]
    base_frame: str
    tcp_frame: str
    arm_joints: Sequence[str]
    hand_joints: Sequence[str]
    q_home_rad: Array
    hand_rest_rad: Array
    hand_grip_rad: Array
    fingers: Sequence[Sequence[str]] = ()
    capsules: Sequence[Capsule] = ()

    def hand_posture(self, press: float) -> Array:
        """Return the (16,) joint targets for a press synergy in 0..1, clipped to that range."""
        share = min(max(press, 0.0), 1.0)
        return (1.0 - share) * self.hand_rest_rad + share * self.hand_grip_rad


@dataclass(frozen=True)
class WorldSnapshot:
    """What a simulated camera needs to draw a world: the episode's seed, all joint positions, and the marks (uint8, 1 = left)."""

    seed: int
    positions: Array
    marks: NDArray[np.uint8]


@dataclass(frozen=True)
class WorldTick:
    """One sensor tick of a simulated robot.

    joint_position_rad, joint_velocity_rad_s, joint_effort_Nm: (23,) arm then hand. taxels: (fingers, taxels, 6): x y z [m] and
    fx fy fz [N] in the fingertip frame. done: the episode has ended, by success or by time.
    """

    state: RobotState
    joint_position_rad: Array
    joint_velocity_rad_s: Array
    joint_effort_Nm: Array
    taxels: Array
    snapshot: WorldSnapshot
    done: bool


@dataclass(frozen=True)
class JointTick:
    """Measured joints of one simulated arm or hand, each (joints,), in the order of the robot's description."""

    position_rad: Array
    velocity_rad_s: Array


@dataclass(frozen=True)
class RobotTick:
    """What a simulated robot without a task measures. hand: of no joints where the arm has none.

    wrench_tcp: (6,) force_N, torque_Nm on the tool, in the tcp frame; None where the robot has no such sensor.
    """

    arm: JointTick
    hand: JointTick
    wrench_tcp: Array | None


@dataclass(frozen=True)
class Outcome:
    """How an episode went: success, and each part of the score by name."""

    seed: int
    success: bool
    parts: Mapping[str, float]
