"""What a fault does to the messages of one stream.

Messages are altered as they travel, serialised: every tapped type begins with a header, whose stamp lies at a fixed place, so that most
faults need not look inside. Of what an alteration returns, the first message takes the place of the publisher's; all further ones come
from a second publisher.
"""

import random
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image, JointState, PointCloud2

Alteration = Callable[[bytes], Sequence[bytes]]

# Serialised: four bytes of encapsulation, then the header's stamp: int32 seconds, uint32 nanoseconds.
_STAMP = slice(4, 12)
_HOUR_S = 3600
_HELD_BACK_S = 0.2
_NOT_FINITE = (float("nan"), float("inf"), float("-inf"))
# Numbers that no node reads; what is in them changes nothing.
_UNREAD = ("velocity", "effort", "group_latency_s", "covariance")
# Of a taxel x y z fx fy fz: the forces.
_TAXEL_FLOATS, _FIRST_FORCE = 6, 3


def silent(kind: type, draw: random.Random) -> Alteration:
    """Nothing arrives any more."""
    return lambda data: ()


def frozen(kind: type, draw: random.Random) -> Alteration:
    """The same content again and again, with new stamps."""
    first: list[bytes] = []

    def alter(data: bytes) -> Sequence[bytes]:
        if not first:
            first.append(data)
        return (_stamped(first[0], data[_STAMP]),)

    return alter


def not_finite(kind: type, draw: random.Random) -> Alteration:
    """NaN or an infinity in one number of the message, always the same one."""
    value, where = draw.choice(_NOT_FINITE), draw.random()

    def alter(data: bytes) -> Sequence[bytes]:
        message = deserialize_message(data, kind)
        if isinstance(message, PointCloud2):
            taxels = np.frombuffer(message.data, dtype="<f4").reshape(-1, _TAXEL_FLOATS).copy()
            forces = taxels[:, _FIRST_FORCE:].size
            row, column = divmod(int(where * forces), _TAXEL_FLOATS - _FIRST_FORCE)
            taxels[row, _FIRST_FORCE + column] = value
            message.data = taxels.tobytes()
        else:
            leaves = list(floats(message))
            if not leaves:
                return (data,)  # such as a chunk that takes back the plan
            put(leaves[int(where * len(leaves))], value)
        return (serialize_message(message),)

    return alter


def malformed(kind: type, draw: random.Random) -> Alteration:
    """An image whose size does not fit its pixels, or whose encoding nobody knows."""
    fields = draw.choice([{"height": 95}, {"encoding": "32FC1"}, {"step": 0}])

    def alter(data: bytes) -> Sequence[bytes]:
        message: Image = deserialize_message(data, kind)
        for name, value in fields.items():
            setattr(message, name, value)
        return (serialize_message(message),)

    return alter


def wrong_names(kind: type, draw: random.Random) -> Alteration:
    """One joint bears a name that the robot does not have."""
    where = draw.random()

    def alter(data: bytes) -> Sequence[bytes]:
        message: JointState = deserialize_message(data, kind)
        message.name[int(where * len(message.name))] = "elbow_of_another_robot"
        return (serialize_message(message),)

    return alter


def held_back(kind: type, draw: random.Random) -> Alteration:
    """Messages come in bursts: nothing for 0.2 s, then all that was held back, with the stamps that it had."""
    waiting: list[bytes] = []

    def alter(data: bytes) -> Sequence[bytes]:
        waiting.append(data)
        if _seconds(data) - _seconds(waiting[0]) < _HELD_BACK_S:
            return ()
        burst = tuple(waiting)
        waiting.clear()
        return burst

    return alter


def duplicated(kind: type, draw: random.Random) -> Alteration:
    """Every message twice."""
    return lambda data: (data, data)


def swapped(kind: type, draw: random.Random) -> Alteration:
    """Two by two in the wrong order."""
    waiting: list[bytes] = []

    def alter(data: bytes) -> Sequence[bytes]:
        waiting.append(data)
        if len(waiting) < 2:
            return ()
        first, second = waiting
        waiting.clear()
        return (second, first)

    return alter


def of_another_hour(kind: type, draw: random.Random) -> Alteration:
    """The stamp is an hour in the past, or in the future."""
    shift_s = draw.choice((-_HOUR_S, _HOUR_S))

    def alter(data: bytes) -> Sequence[bytes]:
        seconds, nanoseconds = struct.unpack("<iI", data[_STAMP])
        return (_stamped(data, struct.pack("<iI", seconds + shift_s, nanoseconds)),)

    return alter


def garbage(kind: type, draw: random.Random) -> Alteration:
    """A second publisher, whose messages have the right form and random numbers, some of them not finite."""

    def alter(data: bytes) -> Sequence[bytes]:
        message = deserialize_message(data, kind)
        for leaf in floats(message):
            put(leaf, draw.uniform(-3.0, 3.0) if draw.random() < 0.995 else draw.choice(_NOT_FINITE))
        if hasattr(message, "tcp_target"):  # else most would be refused for their quaternion, and never be looked at further
            q = message.tcp_target.orientation
            length = float(np.linalg.norm([q.x, q.y, q.z, q.w]))
            q.x, q.y, q.z, q.w = q.x / length, q.y / length, q.z / length, q.w / length
        return (data, serialize_message(message))

    return alter


def floats(message: Any) -> Iterator[tuple[Any, str, int | None]]:
    """Yield every floating-point number of a message that somebody reads: its owner, its field, its place in an array."""
    for name, kind in message.get_fields_and_field_types().items():
        value = getattr(message, name)
        if name in _UNREAD:
            continue
        if kind in ("double", "float"):
            yield message, name, None
        elif kind.startswith(("sequence<double", "sequence<float", "double[", "float[")):
            yield from ((message, name, i) for i in range(len(value)))
        elif hasattr(value, "get_fields_and_field_types"):
            yield from floats(value)


def put(leaf: tuple[Any, str, int | None], value: float) -> None:
    """Set one number that `floats` found."""
    owner, name, place = leaf
    if place is None:
        setattr(owner, name, value)
    else:
        getattr(owner, name)[place] = value


def _stamped(data: bytes, stamp: bytes) -> bytes:
    return data[: _STAMP.start] + stamp + data[_STAMP.stop :]


def _seconds(data: bytes) -> float:
    seconds, nanoseconds = struct.unpack("<iI", data[_STAMP])
    return float(seconds + nanoseconds * 1e-9)


ALTERATIONS: dict[str, Callable[[type, random.Random], Alteration]] = {
    make.__name__: make
    for make in (silent, frozen, not_finite, malformed, wrong_names, held_back, duplicated, swapped, of_another_hour, garbage)
}
