"""What the tap keeps of what it sees, and how it hands it over: serialised messages with the steady time of their arrival."""

import struct
from collections.abc import Iterable, Iterator

from tactus_nodes import topics
from tactus_nodes.topics import Topic

# Relayed by the tap: each publisher's output is remapped to `tap/<name>`. By the executable that publishes it.
TAPPED: dict[str, tuple[Topic, ...]] = {
    "sim_device": (topics.JOINT_STATES, topics.WRENCH, topics.TACTILE),
    "sim_camera": (topics.IMAGE,),
    "perception": (topics.FEATURES,),
    "slow_policy": (topics.CHUNK,),
    "fast_policy": (topics.PROPOSAL,),
}
_WATCHED = (topics.VERDICT, topics.ARM_TARGET, topics.HAND_COMMAND, topics.DEVICE_HOLDING, topics.ESTOP)
# What is kept; its place is its number in a record. The sensors as the device sent them, whatever becomes of them in the tap.
KEPT: dict[str, Topic] = {
    **{topic.name: topic for topic in _WATCHED},
    "tap/joint_states": topics.JOINT_STATES,
    "tap/wrench": topics.WRENCH,
}
_NAMES = tuple(KEPT)
_NUMBERS = {name: number for number, name in enumerate(_NAMES)}
_HEAD = struct.Struct("<dBI")

Record = tuple[str, float, bytes]  # name, steady time of arrival [s], serialised message


def tapped(topic: Topic) -> str:
    """Return the name under which the publisher of `topic` publishes it while it is tapped."""
    return f"tap/{topic.name}"


def pack(records: Iterable[Record]) -> bytes:
    """Return records as bytes."""
    return b"".join(part for name, at_s, data in records for part in (_HEAD.pack(at_s, _NUMBERS[name], len(data)), data))


def unpack(data: bytes) -> Iterator[Record]:
    """Yield the records of `pack`."""
    start = 0
    while start < len(data):
        at_s, number, length = _HEAD.unpack_from(data, start)
        start += _HEAD.size
        yield _NAMES[number], at_s, data[start : start + length]
        start += length
