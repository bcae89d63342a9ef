"""What the joints and another sensor tell of one motion, by their stamps."""

from typing import Any

import numpy as np

from tactus_core.errors import DataError
from tactus_core.types import Array
from tactus_nodes import convert, convert_seen, topics
from tactus_nodes.client import GraphSession

_SENSORS = {"camera": topics.IMAGE, "touch": topics.TOUCH_IMAGE, "wrench": topics.WRENCH_RAW}
_EVERY_PX = 4
_LEAST = 30


class _Change:
    """How fast something changes: what grows with the motion, in whatever unit."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._last: tuple[float, Array] | None = None
        self._rates: list[tuple[float, float]] = []

    def take(self, stamp_s: float, value: Array) -> None:
        """Take in the next value; raises DataError for a stamp that does not rise."""
        if self._last is not None:
            last_s, last = self._last
            gap_s = stamp_s - last_s
            if not gap_s > 0.0:
                raise DataError(f"stamps of {self._name} do not rise. Does more than one process publish it?")
            # A change lies in the middle between the two that it is of.
            self._rates.append((stamp_s - 0.5 * gap_s, float(np.abs(value - last).mean()) / gap_s))
        self._last = stamp_s, value

    def rates(self) -> tuple[Array, Array]:
        """Return times [s] and how fast it changed then; DataError where too few values came."""
        if len(self._rates) < _LEAST:
            raise DataError(f"{len(self._rates)} messages of {self._name} came, expected {_LEAST}. Is it running, in this ROS_DOMAIN_ID?")
        at_s, rate = np.array(self._rates).T
        return at_s, rate


class MotionListener:
    """Listens to `joint_states` and to one sensor: camera, touch or wrench."""

    def __init__(self, session: GraphSession, sensor: str) -> None:
        topic = _SENSORS[sensor]
        self._joints, self._sensor = _Change(topics.JOINT_STATES.name), _Change(topic.name)
        session.listen(topics.JOINT_STATES.deeper(100), lambda message: self._joints.take(_stamp_s(message), np.array(message.position)))
        session.listen(topic.deeper(100), self._feel if sensor == "wrench" else self._see)

    def joints(self) -> tuple[Array, Array]:
        """Return times [s] and how fast the joints moved; DataError where too few messages came."""
        return self._joints.rates()

    def sensor(self) -> tuple[Array, Array]:
        """Return times [s] and how fast what the sensor tells changed; DataError where too few messages came."""
        return self._sensor.rates()

    def _see(self, message: Any) -> None:
        self._sensor.take(_stamp_s(message), convert_seen.image(message)[::_EVERY_PX, ::_EVERY_PX].astype(np.float64))

    def _feel(self, message: Any) -> None:
        self._sensor.take(_stamp_s(message), convert.wrench_tcp(message)[:3])


def _stamp_s(message: Any) -> float:
    return convert.seconds(message.header.stamp)
