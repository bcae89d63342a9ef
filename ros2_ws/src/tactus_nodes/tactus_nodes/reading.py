"""The robot's state as the guard knows it: the newest of each sensor, each only for as long as it is fresh."""

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from tactus_core.config import param
from tactus_core.continuity import Continuity
from tactus_core.errors import DataError, TactusError
from tactus_core.freshness import Stream
from tactus_core.kinematics import Kinematics
from tactus_core.perception.fingertips import fingertip_force_N
from tactus_core.types import Array, RobotDescription, RobotState
from tactus_nodes import convert, convert_seen, topics
from tactus_nodes.base import TactusNode
from tactus_nodes.contract import Input, parameter
from tactus_nodes.spinning import read_latest

_AGE, _FROZEN = parameter("state_timeout_s"), parameter("frozen_s")
_CENSUS_S = 0.05
_HOLDS = "slows, then holds the measured pose"
_UNHEARD = Stream(math.inf)  # nothing ever comes, and nothing is fresh


@dataclass(frozen=True, kw_only=True)
class ReaderConfig:
    """Parameters of the reader, beside the ages that the guard itself has."""

    frozen_s: float = param(0.05, low=0.0, high=5.0, doc="Time after which a sensor that repeats itself to the bit is dead; 0: never.")
    hand_apart: bool = param(False, doc="The hand is a device of its own, and tells its joints on hand/joint_states.")


def _apart(config: Any) -> float:
    return config.state_timeout_s if config.hand_apart else math.inf


# What the state is made of; each is believed only while one process publishes it.
_SENSORS = (topics.JOINT_STATES, topics.HAND_STATES, topics.WRENCH, topics.TACTILE)
# Where arm and hand are.
JOINT_INPUTS = (
    # A device at rest may repeat its positions; together with velocities and efforts a live one does not.
    Input(topics.JOINT_STATES, "sends nothing: the device holds", _AGE, _FROZEN, lambda m: (m.position, m.velocity, m.effort)),
    # Servos at rest repeat themselves to the count, and say no more: their driver is who tells a live hand from a dead one.
    Input(topics.HAND_STATES, "sends nothing, if the hand is a device of its own: the devices hold", _apart),
)
# What the guard listens to.
INPUTS = (
    *JOINT_INPUTS,
    Input(topics.WRENCH, _HOLDS, _AGE, _FROZEN, lambda m: m.wrench),
    Input(topics.TACTILE, f"{_HOLDS}, if the hand feels", _AGE),
    Input(topics.PROPOSAL, _HOLDS, parameter("proposal_timeout_s")),
    Input(topics.ESTOP, "stops, latched", parameter("estop_timeout_s")),
    Input(topics.DEAD_MAN, f"{_HOLDS}, if a switch is required", lambda config: config.dead_man_timeout_s or math.inf),
)


class RobotReader:
    """Reads joint states, and where it feels wrench and touch, when it is asked to, and wakes nobody in between.

    Wrench, or touch, that is old or frozen is NaN; without joint states, of arm and hand each, there is no state. What is not what it
    should be has not come. `hand_apart`: the hand's joints come from its own device alone, as old as that device's last word.
    Where more than one process publishes a sensor nobody can tell which is the robot's: `strangers` says so, and there is no state.
    """

    def __init__(self, node: TactusNode, robot: RobotDescription, kinematics: Kinematics, feels: bool = True) -> None:
        self._node, self._kinematics = node, kinematics
        self._arm, self._hand = tuple(robot.arm_joints), tuple(robot.hand_joints)
        takes = (self._take_joints, self._take_hand, self._take_wrench, self._take_touch)
        self._topics = _SENSORS if feels else _SENSORS[: len(JOINT_INPUTS)]
        self._inputs = [(node.poll(topic), node.streams[topic.name], take) for topic, take in zip(self._topics, takes, strict=False)]
        self._streams = [stream for _, stream, _ in self._inputs] + [_UNHEARD] * (len(_SENSORS) - len(self._inputs))
        self._continuity = Continuity(2.0 * kinematics.arm_speed_rad_s, node.config.state_timeout_s)
        self._apart = node.config.hand_apart
        self._joints: tuple[float, Array, Array] | None = None  # stamp_s, T_base_tcp, q_rad
        self._fingers: tuple[Array, Array | None] | None = None  # position_rad, effort_Nm
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
        joints, apart, wrench, touch = self._streams
        needed = (joints, apart) if self._apart else (joints,)
        if self._joints is None or self._fingers is None or self.strangers or not all(stream.fresh(now_s) for stream in needed):
            return None, -np.inf, now_s
        (stamp_s, T, q), (hand, effort) = self._joints, self._fingers
        age_s = max(stream.age_s(now_s) for stream in needed)
        wrench_tcp = self._wrench_tcp if wrench.fresh(now_s) else np.full(6, np.nan)
        force_N = self._force_N if touch.fresh(now_s) else np.full(4, np.nan)
        return RobotState(stamp_s, T, wrench_tcp, force_N, hand, q, effort), now_s - age_s, now_s

    def ages_s(self, now_s: float) -> tuple[float, float, float]:
        """Return how old joints, wrench and touch are; infinite: they never came."""
        joints, apart, wrench, touch = (stream.age_s(now_s) for stream in self._streams)
        return max(joints, apart) if self._apart else joints, wrench, touch

    def _take_census(self, now_s: float) -> None:
        if now_s - self._census_s >= _CENSUS_S:
            self._census_s = now_s
            # As the subscriptions are called: their topics may have been remapped.
            heard = [(topic.name, subscription.topic_name) for topic, (subscription, _, _) in zip(self._topics, self._inputs, strict=True)]
            crowded = [name for name, topic in heard if self._node.count_publishers(topic) > 1 and len(self._publishers(topic)) > 1]
            self.strangers = [f"more than one publisher of {name}" for name in crowded]

    def _publishers(self, topic: str) -> set[str]:
        # By node: a device that died and was started anew is listed twice until the middleware gives its first life up.
        return {f"{info.node_namespace}/{info.node_name}" for info in self._node.get_publishers_info_by_topic(topic)}

    def _take_joints(self, message: Any) -> None:
        q = convert.finite(convert.joint_positions(message, self._arm), "joint states")
        fingers = self._fingers if self._apart else self._fingers_of(message)
        if not self._continuity.believes(q, time.monotonic()):
            if self._joints is None:
                return  # nothing to go by yet: the first ones are believed when the next agree with them
            raise DataError(f"joint states: the arm cannot have got to {q.round(3).tolist()} rad since the last ones. They were not used.")
        self._joints, self._fingers = (convert.seconds(message.header.stamp), self._kinematics.tcp_pose(q), q), fingers

    def _take_hand(self, message: Any) -> None:
        if self._apart:
            self._fingers = self._fingers_of(message)

    def _fingers_of(self, message: Any) -> tuple[Array, Array | None]:
        position_rad = convert.finite(convert.joint_positions(message, self._hand), "joint states of the hand")
        return position_rad, convert.joint_efforts(message, self._hand)

    def _take_wrench(self, message: Any) -> None:
        self._wrench_tcp = convert.finite(convert.wrench_tcp(message), "wrench")

    def _take_touch(self, message: Any) -> None:
        self._force_N = convert.finite(fingertip_force_N(convert_seen.taxels(message)), "touch")
