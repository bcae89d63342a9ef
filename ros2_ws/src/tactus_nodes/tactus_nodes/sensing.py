"""Puts the messages of one sensor sample together: joint states, wrench and touch of one stamp become a `RobotState`."""

from collections.abc import Callable
from typing import Any

from builtin_interfaces.msg import Time

from tactus_core.kinematics import Kinematics
from tactus_core.types import RobotDescription, RobotState
from tactus_nodes import convert

_STREAMS = 3


class Assembler:
    """Collects the three messages by stamp, in whatever order they arrive, and hands over each complete sample once.

    `capacity` samples may be incomplete at a time; older ones are given up, and counted in `lost`.
    """

    def __init__(self, robot: RobotDescription, on_state: Callable[[RobotState, Time], None], capacity: int = 256) -> None:
        self._arm = tuple(robot.arm_joints)
        self._joints = (*robot.arm_joints, *robot.hand_joints)
        self._kinematics = Kinematics(robot)
        self._on_state = on_state
        self._capacity = capacity
        self._parts: dict[tuple[int, int], list[Any]] = {}
        self.lost = 0

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
        key = convert.key(stamp)
        parts = self._parts.setdefault(key, [None] * _STREAMS)
        parts[index] = message
        if None not in parts:
            # Samples arrive in order: what is older than a complete one stays incomplete.
            for old in [k for k in self._parts if k < key]:
                del self._parts[old]
                self.lost += 1
            del self._parts[key]
            self._on_state(self.state(*parts), stamp)
        elif len(self._parts) > self._capacity:
            del self._parts[min(self._parts)]
            self.lost += 1

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
