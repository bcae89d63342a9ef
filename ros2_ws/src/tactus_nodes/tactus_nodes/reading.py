"""The robot's state as the guard knows it: the newest of each sensor, each only for as long as it is fresh."""

import math
import time
from typing import Any

import numpy as np

from tactus_core.continuity import Continuity
from tactus_core.errors import DataError, TactusError
from tactus_core.kinematics import Kinematics
from tactus_core.types import Array, RobotDescription, RobotState
from tactus_nodes import convert, topics
from tactus_nodes.base import TactusNode
from tactus_nodes.contract import Input, parameter
from tactus_nodes.executor import read_latest

_AGE, _FROZEN = parameter("state_timeout_s"), parameter("frozen_s")
_CENSUS_S = 0.05
_HOLDS = "slows, then holds the measured pose"
# What the guard listens to.
INPUTS = (
    # A device at rest may repeat its positions; together with velocities and efforts a live one does not.
    Input(topics.JOINT_STATES, "sends nothing: the device holds", _AGE, _FROZEN, lambda m: (m.position, m.velocity, m.effort)),
    Input(topics.WRENCH, _HOLDS, _AGE, _FROZEN, lambda m: m.wrench),
    Input(topics.TACTILE, f"{_HOLDS}, if the hand feels", _AGE),
    Input(topics.PROPOSAL, _HOLDS, parameter("proposal_timeout_s")),
    Input(topics.ESTOP, "stops, latched", parameter("estop_timeout_s")),
    Input(topics.DEAD_MAN, f"{_HOLDS}, if a switch is required", lambda config: config.dead_man_timeout_s or math.inf),
)


class RobotReader:
    """Reads joint states, wrench and touch when it is asked to, and wakes nobody in between.

    Wrench, or touch, that is old or frozen is NaN; without joint states there is no state. What is not what it should be has not come.
    Where more than one process publishes a sensor nobody can tell which is the robot's: `strangers` says so, and there is no state.
    """

    def __init__(self, node: TactusNode, robot: RobotDescription, kinematics: Kinematics) -> None:
        self._node, self._kinematics = node, kinematics
        self._arm, self._hand = tuple(robot.arm_joints), tuple(robot.hand_joints)
        takes = {topics.JOINT_STATES: self._take_joints, topics.WRENCH: self._take_wrench, topics.TACTILE: self._take_touch}
        self._inputs = [(node.poll(topic), node.streams[topic.name], take) for topic, take in takes.items()]
        self._continuity = Continuity(2.0 * kinematics.arm_speed_rad_s, node.config.state_timeout_s)
        self._joints: RobotState | None = None
        self.strangers: list[str] = []
        self._census_s = -math.inf
        self._wrench_tcp, self._force_N = np.full(6, np.nan), np.full(4, np.nan)

    def read(self) -> tuple[RobotState | None, float, float]:
        """Return the state, when its joints arrived, and now, on the steady clock; None before there is one."""
        for subscription, stream, take in self._inputs:
            message = read_latest(subscription)
            if message is not None:
                try:
                    take(message)
                except TactusError as error:
                    stream.retract()
                    self._node.get_logger().error(str(error), throttle_duration_sec=1.0)
        now_s = time.monotonic()
        self._take_census(now_s)
        joints, wrench, touch = (stream for _, stream, _ in self._inputs)
        if self._joints is None or self.strangers or not joints.fresh(now_s):
            return None, -np.inf, now_s
        stamp_s, T, _, _, hand, q, effort = vars(self._joints).values()
        wrench_tcp = self._wrench_tcp if wrench.fresh(now_s) else np.full(6, np.nan)
        force_N = self._force_N if touch.fresh(now_s) else np.full(4, np.nan)
        return RobotState(stamp_s, T, wrench_tcp, force_N, hand, q, effort), now_s - joints.age_s(now_s), now_s

    def _take_census(self, now_s: float) -> None:
        if now_s - self._census_s >= _CENSUS_S:
            self._census_s = now_s
            names = [topic.name for topic in (topics.JOINT_STATES, topics.WRENCH, topics.TACTILE)]
            crowded = [name for name in names if self._node.count_publishers(name) > 1]
            self.strangers = [f"more than one publisher of {name}" for name in crowded if len(self._publishers(name)) > 1]

    def _publishers(self, topic: str) -> set[str]:
        # By node: a device that died and was started anew is listed twice until the middleware gives its first life up.
        return {f"{info.node_namespace}/{info.node_name}" for info in self._node.get_publishers_info_by_topic(topic)}

    def _take_joints(self, message: Any) -> None:
        q, hand = (_finite(convert.joint_positions(message, names), "joint states") for names in (self._arm, self._hand))
        if not self._continuity.believes(q, time.monotonic()):
            raise DataError(f"joint states: the arm cannot have got to {q.round(3).tolist()} rad since the last ones. They were not used.")
        T, effort = self._kinematics.tcp_pose(q), convert.joint_efforts(message, self._hand)
        self._joints = RobotState(convert.seconds(message.header.stamp), T, self._wrench_tcp, self._force_N, hand, q, effort)

    def _take_wrench(self, message: Any) -> None:
        self._wrench_tcp = _finite(convert.wrench_tcp(message), "wrench")

    def _take_touch(self, message: Any) -> None:
        self._force_N = _finite(convert.fingertip_force_N(convert.taxels(message)), "touch")


def _finite(values: Array, what: str) -> Array:
    if not all(map(math.isfinite, values.tolist())):
        raise DataError(f"{what}: expected finite values, got {values.tolist()}. The message was not used; check the sensor.")
    return values
