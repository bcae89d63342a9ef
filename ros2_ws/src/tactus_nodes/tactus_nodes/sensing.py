"""Puts the messages of one sensor sample together: joint states, wrench and touch of one stamp become a `RobotState`."""

from collections.abc import Callable
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.serialization import deserialize_message

from tactus_core.datasets.messages import first_stamp
from tactus_core.errors import DataError, TactusError
from tactus_core.gathering import Gathering
from tactus_core.history import Recollection, StateArrays
from tactus_core.kinematics import Kinematics
from tactus_core.types import Array, RobotDescription, RobotState
from tactus_nodes import convert, topics

_STREAMS = (topics.JOINT_STATES, topics.WRENCH, topics.TACTILE)


class StateMaker:
    """Makes the state of one sample's three messages."""

    def __init__(self, robot: RobotDescription) -> None:
        self._arm = tuple(robot.arm_joints)
        self._joints = (*robot.arm_joints, *robot.hand_joints)
        self._kinematics = Kinematics(robot)

    def state(self, joint_states: Any, wrench: Any, tactile: Any) -> RobotState:
        """Return the state; raises DataError."""
        positions = convert.joint_positions(joint_states, self._joints)
        arm = len(self._arm)
        return RobotState(
            stamp_s=convert.seconds(tactile.header.stamp),
            T_base_tcp=self._kinematics.tcp_pose(positions[:arm]),
            wrench_tcp=convert.wrench_tcp(wrench),
            fingertip_force_N=convert.fingertip_force_N(convert.taxels(tactile)),
            hand_position_rad=positions[arm:],
            arm_position_rad=positions[:arm],
        )


class _Gatherer:
    """Collects the three messages by stamp, in whatever order they arrive.

    What is refused goes to on_trouble: bad data must not end a node.
    """

    def __init__(self, robot: RobotDescription, on_trouble: Callable[[str], None]) -> None:
        self._maker, self._on_trouble = StateMaker(robot), on_trouble
        self._gathering = Gathering(len(_STREAMS))

    @property
    def lost(self) -> int:
        """How many samples stayed incomplete."""
        return self._gathering.lost


class Assembler(_Gatherer):
    """Hands over the state of each complete sample, once, and its stamp."""

    def __init__(self, robot: RobotDescription, on_state: Callable[[RobotState, Time], None], on_trouble: Callable[[str], None]) -> None:
        super().__init__(robot, on_trouble)
        self._on_state = on_state

    def joint_states(self, message: Any) -> None:
        """Take joint states."""
        self._take(0, message)

    def wrench(self, message: Any) -> None:
        """Take a wrench."""
        self._take(1, message)

    def tactile(self, message: Any) -> None:
        """Take touch."""
        self._take(2, message)

    def _take(self, index: int, message: Any) -> None:
        stamp = message.header.stamp
        parts = self._gathering.put(index, convert.key(stamp), message)
        if parts is None:
            return
        try:
            self._on_state(self._maker.state(*parts), stamp)
        except TactusError as error:
            self._on_trouble(str(error))


class LateAssembler(_Gatherer):
    """Keeps the samples of the last seconds as they came in, serialized, and makes states only of those that are asked for.

    For a reader that looks at a few of 200 samples a second: reading every message takes it 20 % of a core.
    on_sample gets the stamp of each complete sample, and whether a new time begins with it.
    """

    def __init__(self, robot: RobotDescription, on_sample: Callable[[float, bool], None], on_trouble: Callable[[str], None]) -> None:
        super().__init__(robot, on_trouble)
        self._on_sample = on_sample
        self._samples: Recollection[list[bytes]] = Recollection()

    def take(self, index: int, data: bytes) -> None:
        """Take a serialized message of stream `index`: joint states, wrench, touch."""
        stamp = first_stamp(data)
        parts = self._gathering.put(index, stamp, data)
        if parts is None:
            return
        stamp_s = convert.seconds(Time(sec=stamp[0], nanosec=stamp[1]))
        try:
            anew = self._samples.append(stamp_s, parts)
        except DataError as error:
            self._on_trouble(str(error))
        else:
            self._on_sample(stamp_s, anew)

    def states(self, stamps_s: Array) -> StateArrays:
        """Return the states that were the newest at `stamps_s`, oldest first, each once; raises DataError for a bad one."""
        samples = self._samples.newest_at(stamps_s)
        read = [[deserialize_message(part, topic.type) for part, topic in zip(parts, _STREAMS, strict=True)] for parts in samples]
        return StateArrays.of([self._maker.state(*messages) for messages in read])

    def forget(self) -> None:
        """Forget all complete samples."""
        self._samples.clear()
