"""Where the commands of a robot go that another driver moves: to a topic, or to whichever of its controllers takes them."""

import time
from collections.abc import Sequence
from typing import Any

from builtin_interfaces.msg import Duration
from controller_manager_msgs.srv import ListControllers
from geometry_msgs.msg import PoseStamped
from rclpy.publisher import Publisher
from rclpy.task import Future
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from tactus_core.controllers import Choice, Controller, Takes, choose
from tactus_core.driver_profile import DriverProfile
from tactus_core.errors import DeviceError
from tactus_core.types import Array
from tactus_nodes import convert
from tactus_nodes.base import TactusNode
from tactus_nodes.topics import Topic

_ASK_S = 0.5
_ANSWER_S = 2.0
_TYPES = {Takes.TRAJECTORY: JointTrajectory, Takes.POSITIONS: Float64MultiArray, Takes.POSE: PoseStamped}


def commander(node: TactusNode, profile: DriverProfile, joints: Sequence[str]) -> "TopicCommander | ControllerCommander":
    """Return what commands a driver's joints; `joints`: its names, in our order."""
    if profile.controller_manager:
        return ControllerCommander(node, profile.controller_manager, joints, profile.poses, profile.horizon_s)
    return TopicCommander(node, profile.commands, joints)


class TopicCommander:
    """A driver that takes joint commands on a topic of its own, as that of the Allegro hand does. topic: where they go."""

    def __init__(self, node: TactusNode, topic: str, joints: Sequence[str]) -> None:
        self.topic = topic
        self._node, self._out, self._message = node, node.publisher(Topic(topic, JointState)), convert.joint_state(joints)

    def forget(self) -> None:
        """Start anew."""

    def complaint(self) -> str:
        """Say why no command may be sent now; empty: one may."""
        return _unheard(self._out)

    def send(self, position_rad: Array) -> None:
        """Pass on joint positions (joints,)."""
        self._message.header.stamp, self._message.position = self._node.stamp(), convert.joint_array(position_rad)
        self._out.publish(self._message)

    def hold(self, position_rad: Array) -> None:
        """Make the joints stay where they were just measured."""
        self.send(position_rad)


class ControllerCommander:
    """A robot that runs ros2_control. What is loaded and active is asked of its controller manager, again and again.

    joints: the driver's names, in our order. poses: command the pose of the tcp. horizon_s: when a trajectory reaches its one point.
    topic: where the commands go; empty: nobody takes them.
    """

    def __init__(self, node: TactusNode, manager: str, joints: Sequence[str], poses: bool, horizon_s: float) -> None:
        self._node, self._manager, self._joints, self._poses = node, manager, tuple(joints), poses
        self._horizon = Duration(nanosec=round(horizon_s * 1e9))  # below a second, as the profile has it
        self._client = node.client(ListControllers, f"{manager}/list_controllers")
        self._outs: dict[str, Publisher] = {}
        self.forget()
        node.every(_ASK_S, self._ask)

    def forget(self) -> None:
        """Start anew: which controllers are active may have changed."""
        self._choice: Choice | None = None
        self._asked: tuple[Future, float] | None = None
        self._why = f"no word from '{self._manager}' yet"
        self.topic = ""

    def complaint(self) -> str:
        """Say why no command may be sent now; empty: one may."""
        return self._why if self._choice is None else _unheard(self._outs[self.topic])

    def send(self, command: Any) -> None:
        """Pass on joint positions (joints,), or the message of a pose."""
        self._outs[self.topic].publish(command if self._poses else self._message(command))

    def hold(self, position_rad: Array) -> None:
        """Make the joints stay where they were just measured, if the controller would go on with what it was told last.

        One that is told positions or a pose stays with the last: a step back to what was measured would be a jerk.
        """
        if self._choice is not None and self._choice.takes is Takes.TRAJECTORY:
            self.send(position_rad)

    def _message(self, position_rad: Array) -> Any:
        values = convert.joint_array(position_rad[self._order])
        if self._choice is not None and self._choice.takes is Takes.POSITIONS:
            return Float64MultiArray(data=values)
        # The stamp stays zero, "now": one of our clock might be past on the robot's. No velocity: the controller refuses to end with one.
        point = JointTrajectoryPoint(positions=values, time_from_start=self._horizon)
        return JointTrajectory(joint_names=self._names, points=[point])

    def _ask(self) -> None:
        now_s = time.monotonic()
        if self._asked is not None:
            future, asked_s = self._asked
            if now_s - asked_s <= _ANSWER_S:
                return
            self._client.remove_pending_request(future)
            self._lose(f"'{self._manager}' has not answered for {_ANSWER_S:.0f} s. Is the robot's driver stuck?")
        self._asked = None
        if not self._client.service_is_ready():
            self._lose(f"there is no controller manager '{self._manager}'. Start the robot's driver, or correct 'controller_manager'.")
            return
        future = self._client.call_async(ListControllers.Request())
        self._asked = future, now_s
        future.add_done_callback(self._hear)

    def _hear(self, future: Future) -> None:
        self._asked = None
        try:
            choice = choose([_controller(state) for state in future.result().controller], self._joints, poses=self._poses)
        except DeviceError as error:
            self._lose(str(error))
            return
        if choice != self._choice:
            self._choose(choice)

    def _choose(self, choice: Choice) -> None:
        space = self._manager.rpartition("/")[0]
        # CRISP's topic stands beside the controllers, not below its own.
        self.topic = f"{space}/{choice.takes}" if choice.takes is Takes.POSE else f"{space}/{choice.name}/{choice.takes}"
        if self.topic not in self._outs:
            self._outs[self.topic] = self._node.publisher(Topic(self.topic, _TYPES[choice.takes]))
        self._order = [self._joints.index(joint) for joint in choice.joints]
        self._names, self._choice, self._why = list(choice.joints), choice, ""
        self._node.get_logger().info(f"commands go to '{self.topic}'")

    def _lose(self, why: str) -> None:
        if why != self._why:
            self._node.get_logger().error(why)
        self._choice, self._why, self.topic = None, why, ""


def _unheard(out: Publisher) -> str:
    return "" if out.get_subscription_count() else f"nobody listens to '{out.topic_name}'. Is the robot's driver running?"


def _controller(state: Any) -> Controller:
    return Controller(state.name, state.type, state.state, tuple(state.required_command_interfaces), state.is_chained)
