"""Standard messages of poses, joints and wrenches ↔ `tactus_core`. Readers check (DataError); writers fill what is made once."""

import array
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import isfinite

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Pose, PoseStamped, WrenchStamped
from numpy.typing import NDArray
from sensor_msgs.msg import JointState

from tactus_core.errors import DataError
from tactus_core.geometry import checked_pose, pose7
from tactus_core.types import Array, RobotDescription, Target


def seconds(stamp: Time) -> float:
    """Return a stamp in seconds; float64 keeps it to 0.24 µs."""
    return stamp.sec + stamp.nanosec * 1e-9


def to_stamp(stamp_s: float) -> Time:
    """Return seconds as a stamp."""
    whole, rest = divmod(round(stamp_s * 1e9), 1_000_000_000)
    return Time(sec=whole, nanosec=rest)


def joint_state(names: Sequence[str]) -> JointState:
    """Return a message for the joints `names`, to be filled again and again."""
    return JointState(name=list(names))


def put_pose(T: Array, pose: Pose) -> None:
    """Write T into `pose`."""
    x, y, z, qx, qy, qz, qw = pose7(T).tolist()
    position, rotation = pose.position, pose.orientation
    position.x, position.y, position.z = x, y, z
    rotation.x, rotation.y, rotation.z, rotation.w = qx, qy, qz, qw


def put_pose_or_nan(T: Array | None, pose: Pose) -> None:
    """Write T into `pose`; where there is none, or it is not finite, NaN: a reader must not take zeros for a pose."""
    if T is not None and all(map(isfinite, T.ravel().tolist())):
        put_pose(T, pose)
        return
    position, rotation = pose.position, pose.orientation
    position.x = position.y = position.z = rotation.x = rotation.y = rotation.z = rotation.w = float("nan")


def get_pose(pose: Pose, source: str) -> Array:
    """Return T of `pose`; raises DataError where it is no pose."""
    position, rotation = pose.position, pose.orientation
    return checked_pose([position.x, position.y, position.z, rotation.x, rotation.y, rotation.z, rotation.w], source)


def finite(values: Array, what: str) -> Array:
    """Return the values; raises DataError where one is not finite."""
    if not all(map(isfinite, values.ravel().tolist())):
        raise DataError(f"{what}: expected finite values, got {values.tolist()}. The message was not used; check who sends it.")
    return values


def joint_positions(message: JointState, names: tuple[str, ...]) -> Array:
    """Return the positions [rad] of `names` in that order; raises DataError where one is missing."""
    return _of_joints(message.position, tuple(message.name), names)


def _of_joints(values: Sequence[float], have: tuple[str, ...], names: tuple[str, ...]) -> Array:
    try:
        return np.array(values)[_places(have, names)]
    except (ValueError, IndexError):
        missing = sorted(set(names) - set(have)) or "a position for every name"
        raise DataError(f"joint states lack {missing}; got {list(have)}. Does the device drive this robot?") from None


@lru_cache(maxsize=64)
def _places(have: tuple[str, ...], names: tuple[str, ...]) -> NDArray[np.intp]:
    return np.array([have.index(name) for name in names], dtype=np.intp)


def joint_efforts(message: JointState, names: tuple[str, ...]) -> Array | None:
    """Return the torques [Nm] of `names` in that order; None where the device reports none. Raises DataError for half of them."""
    return _all_or_none(message.effort, "efforts", message, names)


def joint_velocities(message: JointState, names: tuple[str, ...]) -> Array | None:
    """Return the velocities [rad/s] of `names` in that order; None where the device reports none. Raises DataError for half of them."""
    return _all_or_none(message.velocity, "velocities", message, names)


def _all_or_none(values: Sequence[float], what: str, message: JointState, names: tuple[str, ...]) -> Array | None:
    if not len(values):
        return None
    if len(values) != len(message.name):
        raise DataError(f"joint states have {len(values)} {what} for {len(message.name)} joints. Have the driver send all, or none.")
    return _of_joints(values, tuple(message.name), names)


def wrench_tcp(message: WrenchStamped) -> Array:
    """Return force_N, torque_Nm (6,); raises DataError for a wrench that is not in the tcp frame."""
    if message.header.frame_id != "tcp":
        raise DataError(f"wrench is in frame '{message.header.frame_id}', expected 'tcp'. Have the driver transform it to the tool centre.")
    force, torque = message.wrench.force, message.wrench.torque
    return np.array([force.x, force.y, force.z, torque.x, torque.y, torque.z])


def put_wrench(values: Array, message: WrenchStamped) -> None:
    """Write force_N, torque_Nm (6,) into `message`."""
    force, torque = message.wrench.force, message.wrench.torque
    force.x, force.y, force.z, torque.x, torque.y, torque.z = values.tolist()


def joint_array(values: Array | None) -> "array.array[float]":
    """Return joint values as messages want them; None: empty."""
    return array.array("d", b"" if values is None else np.ascontiguousarray(values, dtype=np.float64).tobytes())


def target(arm: PoseStamped | JointState, hand: JointState | None, robot: RobotDescription, tcp_pose: Callable[[Array], Array]) -> Target:
    """Return the target of an arm command and, where there is one, a hand command; raises DataError. tcp_pose: where joints put the tcp."""
    hand_rad = finite(joint_positions(hand, tuple(robot.hand_joints)), "hand/joint_cmd") if hand is not None else None
    if isinstance(arm, PoseStamped):
        return Target(get_pose(arm.pose, "arm/target_pose"), hand_rad)
    arm_rad = finite(joint_positions(arm, tuple(robot.arm_joints)), "arm/joint_cmd")
    return Target(tcp_pose(arm_rad), hand_rad, arm_rad)


def key(stamp: Time) -> tuple[int, int]:
    """Return what two stamps of one sample have in common exactly."""
    return stamp.sec, stamp.nanosec
