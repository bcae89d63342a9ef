"""A human at a teleoperation device, as the graph sees one: proposals at 50 Hz around the pose at which they took over."""

from math import pi, sin

from builtin_interfaces.msg import Time
from rclpy.node import Node
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import JointState

from tactus_core.kinematics import Kinematics
from tactus_core.types import Array, RobotDescription
from tactus_msgs.msg import Proposal
from tactus_nodes import convert, topics

_SAMPLES_PER_PROPOSAL = 4  # 200 Hz of joint states, 50 Hz of proposals
_SWING_M, _SWING_PROPOSALS = 0.01, 100


class Human:
    """`mode`: `move` proposes, `release` gives control back once and for all, empty does nothing, as if a cable had been pulled."""

    def __init__(self, node: Node, robot: RobotDescription) -> None:
        self._names, self._kinematics = tuple(robot.arm_joints), Kinematics(robot)
        self._base_frame = robot.base_frame
        self._out = node.create_publisher(topics.PROPOSAL.type, topics.PROPOSAL.name, topics.PROPOSAL.qos)
        self.mode = ""
        self._samples = 0
        self._T_start: Array | None = None

    def feel(self, joint_states: bytes) -> None:
        """Take a sample of the robot's joint states; each one is a tick of the human's device."""
        if self.mode != "move":
            self._T_start = None
        if not self.mode:
            return
        self._samples += 1
        if self._samples % _SAMPLES_PER_PROPOSAL == 0:
            message = deserialize_message(joint_states, JointState)
            self._out.publish(self._proposal(convert.joint_positions(message, self._names), message.header.stamp))
            if self.mode == "release":
                self.mode = ""

    def _proposal(self, q_arm_rad: Array, stamp: Time) -> Proposal:
        message = Proposal(source="human", release=self.mode == "release")
        message.header.stamp, message.header.frame_id = stamp, self._base_frame
        if self._T_start is None:
            self._T_start, self._samples = self._kinematics.tcp_pose(q_arm_rad), 0
        T = self._T_start.copy()
        # Across the tool, never into what it touches.
        T[:3, 3] += _SWING_M * sin(2 * pi * self._samples / _SAMPLES_PER_PROPOSAL / _SWING_PROPOSALS) * T[:3, 0]
        convert.put_pose(T, message.tcp_target)
        return message
