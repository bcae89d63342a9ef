"""Puts the messages of one sensor sample together: joint states, wrench and touch of one stamp become a `RobotState`."""

from collections.abc import Callable
from typing import Any

from builtin_interfaces.msg import Time

from tactus_core.errors import TactusError
from tactus_core.gathering import Gathering
from tactus_core.kinematics import Kinematics
from tactus_core.types import RobotDescription, RobotState
from tactus_nodes import convert

_STREAMS = 3


class Assembler:
    """Collects the three messages by stamp, in whatever order they arrive, and hands over each complete sample once.

    on_state gets the state and its stamp; an error that making or using it raises goes to on_trouble: bad data must not end a node.
    """

    def __init__(self, robot: RobotDescription, on_state: Callable[[RobotState, Time], None], on_trouble: Callable[[str], None]) -> None:
        self._arm = tuple(robot.arm_joints)
        self._joints = (*robot.arm_joints, *robot.hand_joints)
        self._kinematics = Kinematics(robot)
        self._on_state = on_state
        self._on_trouble = on_trouble
        self._gathering = Gathering(_STREAMS)

    @property
    def lost(self) -> int:
        """How many samples stayed incomplete."""
        return self._gathering.lost

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
            self._on_state(self.state(*parts), stamp)
        except TactusError as error:
            self._on_trouble(str(error))

    def state(self, joint_states: Any, wrench: Any, tactile: Any) -> RobotState:
        """Return the state of one sample's three messages; raises DataError."""
        positions = convert.joint_positions(joint_states, self._joints)
        arm = len(self._arm)
        return RobotState(
            stamp_s=convert.seconds(tactile.header.stamp),
            T_base_tcp=self._kinematics.tcp_pose(positions[:arm]),
            wrench_tcp=convert.wrench_tcp(wrench),
            fingertip_force_N=convert.fingertip_force_N(convert.taxels(tactile)),
            hand_position_rad=positions[arm:],
        )
