"""Puts the messages of sensors together: joint states, wrench and touch become a `RobotState`."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.serialization import deserialize_message

from tactus_core.datasets.messages import first_stamp
from tactus_core.errors import DataError, TactusError
from tactus_core.gathering import Gathering, Joining
from tactus_core.history import Recollection, StateArrays
from tactus_core.kinematics import Kinematics
from tactus_core.perception.fingertips import fingertip_force_N
from tactus_core.types import Array, RobotDescription, RobotState
from tactus_nodes import convert, convert_seen
from tactus_nodes.sensors import Sensors


class StateMaker:
    """Makes the state of one sample's messages."""

    def __init__(self, robot: RobotDescription, sensors: Sensors) -> None:
        self._arm, self._hand = tuple(robot.arm_joints), tuple(robot.hand_joints)
        self._names = [topic.name for topic in sensors.topics]
        self._apart, self._kinematics = sensors.apart, Kinematics(robot)

    def state(self, messages: Sequence[Any]) -> RobotState:
        """Return the state, stamped as the joint states; raises DataError. What is not among the messages is NaN."""
        said = dict(zip(self._names, messages, strict=True))
        joint_states = said["joint_states"]
        positions = convert.joint_positions(joint_states, self._arm if self._apart else (*self._arm, *self._hand))
        arm, hand = positions[: len(self._arm)], positions[len(self._arm) :]
        if "hand/joint_states" in said:
            hand = convert.joint_positions(said["hand/joint_states"], self._hand)
        return RobotState(
            stamp_s=convert.seconds(joint_states.header.stamp),
            T_base_tcp=self._kinematics.tcp_pose(arm),
            wrench_tcp=convert.wrench_tcp(said["wrench"]) if "wrench" in said else np.full(6, np.nan),
            fingertip_force_N=fingertip_force_N(convert_seen.taxels(said["tactile"])) if "tactile" in said else np.full(4, np.nan),
            hand_position_rad=hand,
            arm_position_rad=arm,
        )


class _Gatherer:
    """Collects the messages of a state, in whatever order they arrive.

    What is refused goes to on_trouble: bad data must not end a node.
    """

    def __init__(self, robot: RobotDescription, sensors: Sensors, on_trouble: Callable[[str], None]) -> None:
        self._maker, self._sensors, self._on_trouble = StateMaker(robot, sensors), sensors, on_trouble
        self._gathering = Joining(sensors.max_age_s[1:]) if sensors.apart else Gathering(len(sensors.topics))

    def _put(self, index: int, stamp: tuple[int, int], part: Any) -> list[Any] | None:
        return self._gathering.put(index, time.monotonic() if self._sensors.apart else stamp, part)

    @property
    def lost(self) -> int:
        """How many samples stayed incomplete."""
        return self._gathering.lost


class Assembler(_Gatherer):
    """Hands over the state of each complete sample, once, and its stamp."""

    def __init__(
        self,
        robot: RobotDescription,
        sensors: Sensors,
        on_state: Callable[[RobotState, Time], None],
        on_trouble: Callable[[str], None],
    ) -> None:
        super().__init__(robot, sensors, on_trouble)
        self._on_state = on_state

    def take(self, index: int, message: Any) -> None:
        """Take a message of stream `index` of the sensors."""
        parts = self._put(index, convert.key(message.header.stamp), message)
        if parts is None:
            return
        try:
            self._on_state(self._maker.state(parts), parts[0].header.stamp)
        except TactusError as error:
            self._on_trouble(str(error))


class LateAssembler(_Gatherer):
    """Keeps the samples of the last seconds as they came in, serialized, and makes states only of those that are asked for.

    For a reader that looks at a few of 200 samples a second: reading every message takes it 20 % of a core.
    on_sample gets the stamp of each complete sample, and whether a new time begins with it.
    """

    def __init__(
        self,
        robot: RobotDescription,
        sensors: Sensors,
        on_sample: Callable[[float, bool], None],
        on_trouble: Callable[[str], None],
    ) -> None:
        super().__init__(robot, sensors, on_trouble)
        self._on_sample = on_sample
        self._samples: Recollection[list[bytes]] = Recollection()

    def take(self, index: int, data: bytes) -> None:
        """Take a serialized message of stream `index` of the sensors."""
        parts = self._put(index, first_stamp(data), data)
        if parts is None:
            return
        sec, nanosec = first_stamp(parts[0])
        stamp_s = convert.seconds(Time(sec=sec, nanosec=nanosec))
        try:
            anew = self._samples.append(stamp_s, parts)
        except DataError as error:
            self._on_trouble(str(error))
        else:
            self._on_sample(stamp_s, anew)

    def states(self, stamps_s: Array) -> StateArrays:
        """Return the states that were the newest at `stamps_s`, oldest first, each once; raises DataError for a bad one."""
        samples = self._samples.newest_at(stamps_s)
        kinds = [topic.type for topic in self._sensors.topics]
        read = [[deserialize_message(part, kind) for part, kind in zip(parts, kinds, strict=True)] for parts in samples]
        return StateArrays.of([self._maker.state(messages) for messages in read], self._sensors.needs)

    def forget(self) -> None:
        """Forget all complete samples."""
        self._samples.clear()
