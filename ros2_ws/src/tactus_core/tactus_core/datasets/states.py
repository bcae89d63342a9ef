"""A bag's joint states, wrenches and taxels → the robot's states, put together as a policy puts them together when they arrive."""

import math
from typing import Any

import numpy as np

from tactus_core.datasets import messages
from tactus_core.datasets.bag import JOINTS, TACTILE, WRENCHES, Bag
from tactus_core.errors import DataError
from tactus_core.gathering import Gathering, Joining
from tactus_core.kinematics import Kinematics
from tactus_core.perception.fingertips import fingertip_force_N
from tactus_core.policy.card import Card
from tactus_core.types import Array, RobotDescription, RobotState

_WRENCH = WRENCHES[0]
_JOINTS, _ARM, _HAND = JOINTS
_OF_ONE_DEVICE = (_JOINTS, _WRENCH, TACTILE)


def robot_states(bag: Bag, robot: RobotDescription, card: Card, start_s: float, end_s: float) -> list[RobotState]:
    """Return the states with stamps from `start_s` to `end_s`, oldest first. What is not among the streams is NaN.

    What one device stamped alike is one state. Where the hand, or a sensor that the card needs, is a device of its own, each of the arm's
    joint states is joined with the newest of the others by arrival, none older than the card allows. A sample of which something is
    missing is no state, as it was none for the policy. Raises DataError where the bag lacks a stream.
    """
    apart = _HAND in bag.streams or not set(_OF_ONE_DEVICE) <= set(bag.streams)
    topics = _of_devices(bag, card) if apart else _OF_ONE_DEVICE
    age_s = {f"/{name}": stream.max_age_s for name, stream in card.streams.items()}
    joining = Joining([age_s.get(topic, age_s[_JOINTS]) for topic in topics[1:]])
    gathering = Gathering(len(topics))
    maker, found = _Maker(robot, topics, apart), []
    for arrival_ns, index, time_ns, value in _heard(bag, topics):
        part = time_ns, value
        parts = joining.put(index, arrival_ns * 1e-9, part) if apart else gathering.put(index, time_ns, part)
        if parts is not None and start_s <= messages.seconds(parts[0][0]) <= end_s:
            found.append(maker.state(parts))
    return found


def sensors(bag: Bag) -> list[str]:
    """Return the topics that states are made of, in this bag."""
    return [topic for topic in (*JOINTS, _WRENCH, TACTILE) if topic in bag.streams]


def _of_devices(bag: Bag, card: Card) -> tuple[str, ...]:
    """Return the topics of a robot of several devices, the arm's first."""
    arm = _ARM if _ARM in bag.streams else _JOINTS
    felt = [topic for topic in (_WRENCH, TACTILE) if topic.strip("/") in card.needs]
    wanted = (arm, *([_HAND] if card.joints.hand else []), *felt)
    if missing := [topic for topic in wanted if topic not in bag.streams]:
        have = ", ".join(sensors(bag)) or "no sensor"
        raise DataError(f"{bag.source} lacks {', '.join(missing)}, which '{card.id}' needs; it has {have}. Record all topics.")
    return wanted


def _heard(bag: Bag, topics: tuple[str, ...]) -> list[tuple[int, int, int, Any]]:
    """Return arrival [ns], topic by its index, stamp [ns] and value of everything in these topics, in order of arrival."""
    rows = []
    for index, topic in enumerate(topics):
        stream = bag.streams[topic]
        columns = zip(stream.arrival_ns.tolist(), stream.time_ns.tolist(), stream.values, strict=True)
        rows += [(arrival_ns, index, time_ns, value) for arrival_ns, time_ns, value in columns]
    return sorted(rows, key=lambda row: row[:3])


class _Maker:
    """Makes the state of a sample's parts, each a stamp [ns] and a value, in the order of `topics`."""

    def __init__(self, robot: RobotDescription, topics: tuple[str, ...], apart: bool) -> None:
        self._arm, self._hand = tuple(robot.arm_joints), tuple(robot.hand_joints)
        self._topics, self._apart, self._kinematics = topics, apart, Kinematics(robot)

    def state(self, parts: list[tuple[int, Any]]) -> RobotState:
        """Return the state, stamped as the joint states."""
        said = {topic: value for topic, (_, value) in zip(self._topics, parts, strict=True)}
        joints = _positions(said[self._topics[0]], self._arm if self._apart else (*self._arm, *self._hand))
        arm_rad, hand_rad = np.split(joints, [len(self._arm)])
        return RobotState(
            stamp_s=messages.seconds(parts[0][0]),
            T_base_tcp=self._kinematics.tcp_pose(arm_rad),
            wrench_tcp=said.get(_WRENCH, np.full(6, math.nan)),
            fingertip_force_N=fingertip_force_N(said[TACTILE]) if TACTILE in said else np.full(4, math.nan),
            hand_position_rad=_positions(said[_HAND], self._hand) if _HAND in said else hand_rad,
            arm_position_rad=arm_rad,
        )


def _positions(message: Any, names: tuple[str, ...]) -> Array:
    try:
        positions = messages.joint_values(message, names, "position")
    except ValueError as error:
        raise DataError(f"{error}. Is it a recording of another robot?") from None
    if positions is None:
        raise DataError("joint states without positions. Record the device's own.")
    return positions
