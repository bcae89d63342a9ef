"""How the tool is tilted, from the arm's joints: what a force sensor feels of the tool's weight follows from it."""

import numpy as np

from tactus_core.errors import DataError, StaleError
from tactus_core.kinematics import Kinematics
from tactus_core.perception.payload import Payload
from tactus_core.types import Array
from tactus_nodes import convert, topics
from tactus_nodes.base import TactusNode
from tactus_nodes.plugins import find_robot
from tactus_nodes.spinning import read_latest


class Tilt:
    """Polls the arm's joints for `node`, whose parameters name the robot and its tool. The base's z axis points up."""

    def __init__(self, node: TactusNode) -> None:
        robot = find_robot(node.config.robot)
        self._node, self._kinematics, self._arm = node, Kinematics(robot), tuple(robot.arm_joints)
        self._tool = Payload(node.config.tool_kg, np.array(node.config.tool_center_m), np.zeros(6))
        self._joints_in = node.poll(topics.JOINT_STATES)
        self._R_base_tcp: Array | None = None
        self._in_bias: Array | None = None

    def lighter(self, wrench_tcp: Array | None, biased: bool) -> Array | None:
        """Return a wrench (6,) that is free of a bias, without the change of the tool's weight since that bias was taken.

        The readings themselves are filtered with the weight in them: a sensor that is stuck would not look so without it. biased: the bias
        has just been taken, and holds the weight of now. Raises StaleError or DataError while it is unknown how the tool is tilted.
        """
        if biased:
            self._in_bias = None
        weight = self._tool.felt(self._tilt())
        if biased:
            self._in_bias = weight
        if wrench_tcp is None:
            return None
        if self._in_bias is None:
            raise DataError("the bias was taken while it was unknown how the tool was tilted. Activate this node anew, the arm at rest.")
        return wrench_tcp - (weight - self._in_bias)[: len(wrench_tcp)]

    def _tilt(self) -> Array:
        message = read_latest(self._joints_in)
        if message is not None:
            self._R_base_tcp = None
            q = convert.finite(convert.joint_positions(message, self._arm), "joint states")
            self._R_base_tcp = self._kinematics.tcp_pose(q)[:3, :3]
        if stale := self._node.stale(topics.JOINT_STATES):
            raise StaleError(f"the tool's weight cannot be taken out of the wrench, and none is passed on: {stale}.")
        if self._R_base_tcp is None:
            raise DataError("the tool's weight cannot be taken out of the wrench: the last joint states were no posture. Check the arm.")
        return self._R_base_tcp
