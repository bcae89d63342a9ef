"""What a device measures, by the word that its kind has for it: which messages a reading becomes, and which commands it takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import JointState, Joy, PointCloud2

from tactus_core.errors import ConfigError
from tactus_nodes import convert_seen, streams, topics
from tactus_nodes.topics import Topic

Make = Callable[[Any, Sequence[str], Time], Any]


@dataclass(frozen=True)
class Measure:
    """outputs: topic, and what makes its message of a reading's value, the joints' names and a stamp; None where it has not measured that.

    command: topic of the joint commands that the device takes; None: it takes none.
    parts: topic, what finds in a reading's value another reading, with a stamp of its own, and what makes its message; None: not this time.
    """

    outputs: tuple[tuple[Topic, Make], ...]
    command: Topic | None = None
    parts: tuple[tuple[Topic, Callable[[Any], Any], Make], ...] = ()


def _joints(state: Any, names: Sequence[str], stamp: Time) -> JointState:
    # What is not measured is left out: a NaN equals nothing, and who looks for frozen content would never see any.
    velocity_rad_s = state.velocity_rad_s if np.isfinite(state.velocity_rad_s).all() else None
    return streams.joint_states(names, state.position_rad, velocity_rad_s, stamp)


def _leader(state: Any, names: Sequence[str], stamp: Time) -> JointState:
    return _joints(state, names[: len(state.position_rad)], stamp)  # such arms are built with as many joints as that which they lead


def _arm_wrench(state: Any, names: Sequence[str], stamp: Time) -> Any:
    return streams.wrench(state.wrench_tcp, stamp, "tcp") if np.isfinite(state.wrench_tcp).all() else None


def _taxels(value: Any, names: Sequence[str], stamp: Time) -> PointCloud2:
    # The unit stands in the names: only who reads the right one takes a number for newtons.
    message = convert_seen.taxel_cloud(1, len(value.value), ("x", "y", "z", *(f"v{axis}_{value.unit}" for axis in "xyz")))
    convert_seen.put_taxels(np.hstack([value.position_m, value.value]), message)
    message.header.stamp, message.header.frame_id = stamp, "taxels"
    return message


def _joy(value: Any, names: Sequence[str], stamp: Time) -> Joy:
    message = Joy(axes=value.axes.tolist(), buttons=list(value.buttons))
    message.header.stamp = stamp
    return message


# The one place where a new kind of measurement is entered. Drivers turn wrenches into the tcp frame (`perception.mounting`).
MEASURES = {
    "wrench": Measure(((topics.WRENCH_RAW, lambda value, names, stamp: streams.wrench(value, stamp, "tcp")),)),
    "hand": Measure(((topics.HAND_STATES, _joints),), topics.HAND_COMMAND, ((topics.TAXELS_RAW, attrgetter("taxels"), _taxels),)),
    "arm": Measure(((topics.JOINT_STATES, _joints), (topics.WRENCH_RAW, _arm_wrench)), topics.ARM_COMMAND),
    "taxels": Measure(((topics.TAXELS_RAW, _taxels),)),
    "camera": Measure(((topics.IMAGE, lambda value, names, stamp: streams.image(value, stamp, "camera_optical")),)),
    "axes": Measure(((topics.SPACENAV, _joy),)),
    "leader": Measure(((topics.LEADER_STATES, _leader),)),
    "image": Measure(((topics.TOUCH_IMAGE, lambda value, names, stamp: streams.image(value, stamp, "optical_touch")),)),
}


def measure_of(kind: Any) -> Measure:
    """Return what the node does for a kind of device; raises ConfigError for a measurement that nobody has entered."""
    if kind.measures not in MEASURES:
        raise ConfigError(
            f"device '{kind.name}' measures '{kind.measures}'; known are {', '.join(MEASURES)}. Enter it in tactus_nodes/measures.py."
        )
    return MEASURES[kind.measures]
