"""A human moves the robot: what an input device says becomes proposals of source `human`, for as long as the dead-man's switch is held."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseArray, PoseStamped
from sensor_msgs.msg import JointState, Joy

from tactus_core.errors import DataError
from tactus_core.kinematics import Kinematics
from tactus_core.teleop.axes import IN_ORDER, AxisMap
from tactus_core.teleop.buttons import Presses
from tactus_core.teleop.deliberate import Deliberate
from tactus_core.teleop.hand import Grip, make_hand
from tactus_core.teleop.operator import Operator
from tactus_core.teleop.resolved import make_motion
from tactus_core.types import Proposal as Wish
from tactus_core.types import RobotState, Target
from tactus_msgs.msg import Proposal
from tactus_nodes import convert, convert_tactus, topics
from tactus_nodes.base import TactusNode
from tactus_nodes.contract import Input, parameter
from tactus_nodes.marks import Marker
from tactus_nodes.plugins import find_robot
from tactus_nodes.process import run
from tactus_nodes.reading import JOINT_INPUTS, RobotReader
from tactus_nodes.sent import SentPose
from tactus_nodes.teleop_config import MARKS, TOPICS, TeleopConfig

_PERIOD_S = 0.01
_NO_TARGET = Target(np.eye(4), None)
_LOSES = "has lost control without giving it back: the guard slows, then holds"


class Teleop(TactusNode):
    """Steps on each word of the device, and on its own clock. `ticks`: readings; `lost`: messages that were none."""

    Config = TeleopConfig
    inputs = (
        *(replace(declaration, reaction=_LOSES) for declaration in JOINT_INPUTS),
        Input(topics.VERDICT, "control begins where the robot is measured, not where it is being sent"),
        *(Input(topic, _LOSES, parameter("input_timeout_s")) for topic in sorted(set(sum(TOPICS.values(), ())), key=lambda t: t.name)),
    )

    @classmethod
    def inputs_of(cls, config: Any) -> tuple[Input, ...]:
        """See `TactusNode`."""
        used = {declaration.topic.name for declaration in JOINT_INPUTS}
        used |= {topic.name for topic in (*TOPICS[config.input], topics.VERDICT)}
        return tuple(declaration for declaration in cls.inputs if declaration.topic.name in used)

    def configure(self) -> None:
        """Load the robot, and open the topics of the input."""
        robot = find_robot(self.config.robot)
        kinematics = Kinematics(robot)
        self._reader = RobotReader(self, robot, kinematics, feels=False)
        self._motion = make_motion(self.config.input, self.config, robot, kinematics)
        self._hand: Any = make_hand(self.config.input, self.config, robot, kinematics)
        heard = TOPICS[self.config.input]
        places, button = (self.config.axes, self.config.dead_man_button) if topics.JOY in heard else (IN_ORDER, 0)
        self._axes = AxisMap(places, button, self.config.full_deflection)
        self._message = Proposal()
        self._message.header.frame_id = robot.base_frame
        self._proposals, self._marker = self.publisher(topics.PROPOSAL), Marker(self)
        self._sent = SentPose(self, self.config.state_timeout_s)
        takes = {topics.HAND_POSE: self._take_pose, topics.HAND_TIPS: self._take_tips, topics.LEADER_STATES: self._take_leader}
        for topic in heard:
            # Deeper: a short press must not be overwritten by what comes after it.
            self.subscribe(topic.deeper(10), self._heard(takes.get(topic, self._take_switch if len(heard) > 1 else self._take_axes)))
        self.every(_PERIOD_S, self._tick)

    def activate(self) -> None:
        """Start without control; it is lost, not given back, where the node stops or ends: it says nothing then."""
        self._operator: Operator[Any] = Operator(self._motion, self.config.input_timeout_s)
        self._deliberate, self._hand_reading = Deliberate(self.config), ()
        self._presses = Presses(dict(zip(self.config.mark_buttons, MARKS, strict=False)))
        self._stamp, self._stepped_s, self._engaged = Time(), 0.0, False

    def _heard(self, take: Callable[[Any, float], None]) -> Callable[[Any], None]:
        """Return what takes a message and acts on it at once; one that is no reading takes control away."""

        def callback(message: Any) -> None:
            self.ticks += 1
            self._stamp = message.header.stamp
            try:
                take(message, time.monotonic())
            except DataError as error:
                self.lost += 1
                self._operator.fail(str(error))
            self._step()

        return callback

    def _take_axes(self, message: Joy, now_s: float) -> None:
        axes = self._axes.axes(message.axes)
        self._operator.take(axes, now_s)
        self._take_switch(message, now_s, self._deliberate.held(axes, now_s) if self.config.take_by == "motion" else None)

    def _take_switch(self, message: Joy, now_s: float, held: bool | None = None) -> None:
        if isinstance(self._hand, Grip):
            self._hand_reading = message.buttons
        for kind in self._presses.said(message.buttons):
            self._marker.say(kind)
        self._operator.hold(self._axes.held(message.buttons) if held is None else held, now_s)

    def _take_pose(self, message: PoseStamped, now_s: float) -> None:
        self._operator.take(convert.get_pose(message.pose, topics.HAND_POSE.name), now_s)

    def _take_tips(self, message: PoseArray, now_s: float) -> None:
        self._hand_reading = [(pose.position.x, pose.position.y, pose.position.z) for pose in message.poses]

    def _take_leader(self, message: JointState, now_s: float) -> None:
        self._hand_reading = np.array(message.position)
        self._operator.take(self._hand_reading, now_s)

    def _tick(self) -> None:
        if time.monotonic() - self._stepped_s >= 0.5 * _PERIOD_S:
            self._step()

    def _with_hand(self, target: Target | None, state: RobotState | None) -> Target | None:
        try:
            if target is not None and self.config.input == "hand" and (stale := self.stale(topics.HAND_TIPS)):
                raise DataError(stale)
            hand_rad = None if state is None else self._hand.step(self._hand_reading, state, self._stepped_s, target is not None)
        except DataError as error:
            self._operator.fail(str(error))
            return None
        return target and replace(target, hand_rad=hand_rad)

    def _step(self) -> None:
        state, _, self._stepped_s = self._reader.read()
        target = self._with_hand(self._operator.step(state, self._stepped_s, self._sent.read(self._stepped_s)), state)
        if target is not None or self._operator.hands_back(self._stepped_s):
            wish = Wish(convert.seconds(self._stamp), "human", target or _NO_TARGET, release=target is None)
            convert_tactus.put_proposal(wish, self._stamp, self._message)
            self._proposals.publish(self._message)
        trouble = ", ".join(filter(None, (self._operator.trouble, *self._reader.strangers)))
        if (trouble, self._operator.engaged) != (self.trouble, self._engaged):
            self.trouble, self._engaged = trouble, self._operator.engaged
            self.get_logger().info(f"{'the human has control' if self._engaged else 'the human has no control'} {trouble}".strip())
            self.tell()


def main() -> None:
    """Run the node."""
    run(Teleop, "teleop")
