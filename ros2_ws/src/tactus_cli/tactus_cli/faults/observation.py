"""What the tap recorded, as numbers. All times are of this machine's steady clock [s]; quaternions are xyzw."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rclpy.serialization import deserialize_message

from tactus_cli.faults.records import KEPT, Record
from tactus_core.types import Array
from tactus_msgs.msg import Verdict

RUNNING = "running"


@dataclass(frozen=True)
class Decision:
    """One verdict. at_s: when the guard made it. arm: (7,) pose that it sent, hand: (16,) joints; None where it sent nothing."""

    at_s: float
    state: str
    reasons: tuple[str, ...]
    arm: Array | None
    hand: Array | None


@dataclass(frozen=True)
class Sample:
    """One message: when it arrived, and its numbers."""

    at_s: float
    values: Array


@dataclass
class Observation:
    """Everything seen since `forget`, in the order of arrival.

    arm: (7,) poses commanded; hand: (16,) joints commanded; measured: of the arm's joints, and force_N: as the device sent them.
    """

    arm_joints: tuple[str, ...]
    hand_joints: tuple[str, ...]
    decisions: list[Decision] = field(default_factory=list)
    arm: list[Sample] = field(default_factory=list)
    hand: list[Sample] = field(default_factory=list)
    holding: list[tuple[float, bool]] = field(default_factory=list)
    estop: list[tuple[float, bool]] = field(default_factory=list)
    measured: list[Sample] = field(default_factory=list)
    force_N: list[Sample] = field(default_factory=list)

    def add(self, records: Iterable[Record]) -> None:
        """Take what the tap kept."""
        for name, at_s, data in records:
            self._add(name, at_s, deserialize_message(data, KEPT[name].type))

    def forget(self, before_s: float) -> None:
        """Drop what is older than `before_s`, but for the last word on holding and the emergency stop."""
        for rows in (self.decisions, self.arm, self.hand, self.measured, self.force_N):
            rows[:] = [row for row in rows if row.at_s >= before_s]
        for words in (self.holding, self.estop):
            words[:-1] = [word for word in words[:-1] if word[0] >= before_s]

    def _add(self, name: str, at_s: float, message: Any) -> None:
        if name == "verdict":
            self.decisions.append(decision(message))
        elif name == "arm/target_pose":
            self.arm.append(Sample(at_s, _pose(message.pose)))
        elif name == "hand/joint_cmd":
            self.hand.append(Sample(at_s, in_order(message, self.hand_joints)))
        elif name == "device/holding":
            self.holding.append((at_s, message.data))
        elif name == "estop":
            self.estop.append((at_s, message.data))
        elif name == "tap/joint_states":
            self.measured.append(Sample(at_s, in_order(message, self.arm_joints)))
        elif name == "tap/wrench":
            force = message.wrench.force
            self.force_N.append(Sample(at_s, np.array([force.x, force.y, force.z])))

    @property
    def state(self) -> str:
        """The guard's state now; empty before its first verdict."""
        return self.decisions[-1].state if self.decisions else ""


def decision(message: Verdict) -> Decision:
    """Return what a verdict says of what was sent."""
    arm, hand = _pose(message.executed), np.array(message.hand_executed_rad)
    # Half a pose would not be "nothing": it would be a command that is not finite.
    nothing = bool(np.isnan(arm).all())
    return Decision(message.steady_s, message.state, tuple(message.reasons), None if nothing else arm, hand if len(hand) else None)


def _pose(pose: Any) -> Array:
    p, q = pose.position, pose.orientation
    return np.array([p.x, p.y, p.z, q.x, q.y, q.z, q.w])


def in_order(message: Any, names: tuple[str, ...]) -> Array:
    """Return the positions of `names` in a `sensor_msgs/JointState`; NaN where one is missing."""
    if tuple(message.name[: len(names)]) == names and len(message.position) >= len(names):
        return np.array(message.position[: len(names)])
    given = dict(zip(message.name, message.position, strict=False))
    return np.array([given.get(name, np.nan) for name in names])
