"""Retells what another driver publishes: under our names, by our signs and frames, with its own stamps, and never a wrong value."""

from collections.abc import Callable
from typing import Any

import numpy as np
from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import Image, JointState

from tactus_core.datasets import messages
from tactus_core.driver_profile import DriverProfile
from tactus_core.errors import DataError
from tactus_core.freshness import CLOCK_STEP_S
from tactus_core.perception.mounting import Mounting
from tactus_core.types import Array
from tactus_nodes import convert, convert_seen, streams, topics
from tactus_nodes.base import TactusNode
from tactus_nodes.topics import Topic


class Retelling:
    """Publishes the states of the joints `names` (none: of a sensor), the wrench and the images, as far as the driver tells them.

    position_rad: where the joints were said to be last, (joints,); None: not yet.
    """

    def __init__(self, node: TactusNode, profile: DriverProfile, names: tuple[str, ...]) -> None:
        self._node = node
        makers: list[tuple[str, type, Topic, Callable[[Any], Any]]] = []
        if names:
            ours = topics.HAND_STATES if profile.measures == "hand" else topics.ARM_STATES
            theirs = profile.joints or names
            makers.append((profile.states, JointState, ours, lambda message: joints(message, theirs, names, profile.states)))
        if profile.wrench:
            mounting = Mounting(profile)
            makers.append((profile.wrench, WrenchStamped, topics.WRENCH_RAW, lambda message: wrench(message, mounting, profile)))
        if profile.images:
            makers.append((profile.images, Image, topics.IMAGE, lambda message: image(message, profile, node.now_s())))
        self._outs = {name: (node.publisher(ours), make) for name, _, ours, make in makers}
        for name, kind, _, _ in makers:
            # Best effort hears every driver, reliable or not; a reliable subscription hears nothing of one that is not.
            depth = 1 if kind is Image else 100  # of images the newest alone is of use
            node.subscribe(Topic(name, kind, depth=depth, reliable=False), lambda message, name=name: self._take(name, message))
        self._age = node.samples("reading_age_ms")
        self.forget()

    def forget(self) -> None:
        """Start as if nothing had been heard."""
        self.position_rad: Array | None = None
        self._stamps_s: dict[str, float] = {}

    def _take(self, name: str, message: Any) -> None:
        out, make = self._outs[name]
        try:
            retold = make(message)
            if retold is not None:
                self._check_stamp(name, convert.seconds(message.header.stamp))
        except DataError as error:
            self._node.lost += 1
            self._node.get_logger().error(str(error), throttle_duration_sec=1.0)
            retold = None
        if retold is None:
            self._node.streams[name].retract()
            return
        out.publish(retold)
        if isinstance(retold, JointState):
            self.position_rad = np.array(retold.position)
        self._age.add((self._node.now_s() - convert.seconds(message.header.stamp)) * 1e3)
        self._node.ticks += 1

    def _check_stamp(self, name: str, stamp_s: float) -> None:
        last_s = self._stamps_s.get(name)
        if last_s is not None and last_s - CLOCK_STEP_S < stamp_s <= last_s:
            raise DataError(f"'{name}' is stamped {stamp_s:.6f} s, not after the last one: it was left out. Does its driver still read?")
        self._stamps_s[name] = stamp_s


def joints(message: JointState, theirs: tuple[str, ...], ours: tuple[str, ...], source: str) -> JointState | None:
    """Return the states of the joints that the driver calls `theirs`, in that order and under our names; None: it tells of none of them.

    Efforts are left out: a driver's may be torques or currents, and nobody says which. Raises DataError for what cannot be used.
    """
    if set(theirs).isdisjoint(message.name):
        return None  # of another device, such as a gripper, that shares the topic
    position_rad = convert.finite(convert.joint_positions(message, theirs), source)
    velocity_rad_s = convert.joint_velocities(message, theirs)
    if velocity_rad_s is not None and not np.isfinite(velocity_rad_s).all():
        velocity_rad_s = None
    return streams.joint_states(ours, position_rad, velocity_rad_s, message.header.stamp)


def wrench(message: WrenchStamped, mounting: Mounting, profile: DriverProfile) -> WrenchStamped:
    """Return the wrench that the environment applies to the tool, in the tcp frame; raises DataError where it is not known, or too much."""
    force, torque = message.wrench.force, message.wrench.torque
    values = [force.x, force.y, force.z, torque.x, torque.y, torque.z]
    if profile.zero_is_unknown and not any(values):
        raise DataError(f"'{profile.wrench}' says zero, which it does where it does not know the wrench. It was left out.")
    if not mounting.believes(measured := np.array(values)):
        raise DataError(f"'{profile.wrench}' says {values}: not finite, or more than range_N and range_Nm. It was left out.")
    return streams.wrench(mounting.turned(measured), message.header.stamp, "tcp")


def image(message: Image, profile: DriverProfile, now_s: float) -> Image:
    """Return the image as rgb8 without padding, stamped when it was captured; raises DataError for what cannot be used, or comes late."""
    source, row = profile.images, 3 * message.width
    whole = 0 < row <= message.step and 0 < len(message.data) == message.height * message.step
    if message.encoding not in ("rgb8", "bgr8") or not whole:
        raise DataError(
            f"'{source}' says an image of {message.encoding} {message.height}×{message.width}, step {message.step}, {len(message.data)} "
            "bytes; expected rgb8 or bgr8. It was left out. Set the driver to one of these."
        )
    captured_s = convert.seconds(message.header.stamp) - profile.latency_s
    if not abs(now_s - captured_s) <= profile.state_timeout_s:
        raise DataError(
            f"'{source}' says an image that was captured {now_s - captured_s:.3f} s ago, expected {profile.state_timeout_s} s at most. It "
            "was left out. Does its driver keep up, and have both machines the same time?"
        )
    return convert_seen.to_image(messages.image(message), convert.to_stamp(captured_s))
