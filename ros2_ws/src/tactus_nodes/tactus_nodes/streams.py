"""The streams of a recording and the messages that carry them: values as docs/architecture.md says, stamps given."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PointStamped, WrenchStamped
from numpy.typing import NDArray
from sensor_msgs.msg import Image, JointState, PointCloud2

from tactus_core.types import Array
from tactus_nodes import convert, convert_seen, topics
from tactus_nodes.topics import Topic


def joint_states(names: Sequence[str], position_rad: Array, velocity_rad_s: Array | None, stamp: Time) -> JointState:
    """Return the message of joint states; None: velocities are not known."""
    message = convert.joint_state(names)
    message.header.stamp = stamp
    message.position, message.velocity = convert.joint_array(position_rad), convert.joint_array(velocity_rad_s)
    return message


def wrench(value: Array, stamp: Time, frame: str) -> WrenchStamped:
    """Return the message of force_N, torque_Nm (6,)."""
    message = WrenchStamped()
    message.header.stamp, message.header.frame_id = stamp, frame
    convert.put_wrench(value, message)
    return message


def _touch(value: NDArray[np.float32], stamp: Time) -> PointCloud2:
    message = convert_seen.taxel_cloud(*value.shape[:2])
    message.header.stamp, message.header.frame_id = stamp, "fingertips"
    convert_seen.put_taxels(value, message)
    return message


def image(value: NDArray[np.uint8], stamp: Time, frame: str) -> Image:
    """Return the message of an rgb image (H, W, 3)."""
    message = convert_seen.to_image(value, stamp)
    message.header.frame_id = frame
    return message


def _position(value: Array, stamp: Time) -> PointStamped:
    message = PointStamped()
    message.header.stamp, message.header.frame_id = stamp, "base"
    message.point.x, message.point.y, message.point.z = value.tolist()
    return message


# By the name of a stream, which is that of its topic.
STREAMS: dict[str, tuple[Topic, Callable[[Any, Time], Any]]] = {
    topic.name: (topic, make)
    for topic, make in (
        (topics.JOINT_STATES, lambda value, stamp: joint_states(value.names, value.position_rad, value.velocity_rad_s, stamp)),
        (topics.WRENCH, lambda value, stamp: wrench(value, stamp, "tcp")),
        (topics.WRENCH_RAW, lambda value, stamp: wrench(value, stamp, "force_sensor")),
        (topics.TACTILE, _touch),
        (topics.IMAGE, lambda value, stamp: image(value, stamp, "camera_optical")),
        (topics.TOUCH_IMAGE, lambda value, stamp: image(value, stamp, "optical_touch")),
        (topics.TCP_POSITION, _position),
    )
}
