"""A bag's joint states, wrenches and taxels → the robot's states, as a policy had them when it acted."""

import numpy as np

from tactus_core.datasets import messages
from tactus_core.datasets.bag import JOINTS, TACTILE, WRENCHES, Bag, Stream
from tactus_core.errors import DataError
from tactus_core.kinematics import Kinematics
from tactus_core.perception.fingertips import fingertip_force_N
from tactus_core.types import RobotDescription, RobotState

SENSORS = (JOINTS[0], WRENCHES[0], TACTILE)
_OF_A_HAND_APART = JOINTS[-1]


def robot_states(bag: Bag, robot: RobotDescription, start_s: float, end_s: float) -> list[RobotState]:
    """Return the states with stamps from `start_s` to `end_s`, oldest first. What one device stamped alike is one state.

    A sample of which something is missing is no state, as it was none for the policy. Raises DataError where the bag has none at all.
    """
    streams = [bag.streams.get(topic) for topic in SENSORS]
    if None in streams or _OF_A_HAND_APART in bag.streams:
        raise DataError(
            f"{bag.source} has {', '.join(bag.streams)}; expected {', '.join(SENSORS)} of one device. Bags of robots whose "
            "hand is a device of its own are not made into states yet."
        )
    joints, wrench, touch = (stream for stream in streams if stream is not None)
    kinematics, names = Kinematics(robot), (*robot.arm_joints, *robot.hand_joints)
    others = _rows_by_time(wrench), _rows_by_time(touch)
    found = []
    for time_ns, message in zip(joints.time_ns.tolist(), joints.values, strict=True):
        rows = [other.get(time_ns) for other in others]
        stamp_s = messages.seconds(time_ns)
        if not start_s <= stamp_s <= end_s or None in rows:
            continue
        positions = _positions(bag, message, names)
        arm_rad, hand_rad = np.split(positions, [len(robot.arm_joints)])
        force_N = fingertip_force_N(touch.values[rows[1]])
        found.append(RobotState(stamp_s, kinematics.tcp_pose(arm_rad), wrench.values[rows[0]], force_N, hand_rad, arm_rad))
    return found


def _rows_by_time(stream: Stream) -> dict[int, int]:
    return {time_ns: row for row, time_ns in enumerate(stream.time_ns.tolist())}


def _positions(bag: Bag, message: object, names: tuple[str, ...]) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    try:
        positions = messages.joint_values(message, names, "position")
    except ValueError as error:
        raise DataError(f"{bag.source}: {error}. Is it a recording of another robot?") from None
    if positions is None:
        raise DataError(f"{bag.source}: joint states without positions. Record the device's own.")
    return positions
