"""Messages of a bag → arrays. They are decoded by the definitions in the bag itself, so what is read of them is checked here."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import DataError
from tactus_core.geometry import checked_pose
from tactus_core.types import ActionChunk, Array, ChunkKind

TAXEL_FIELDS = ("x", "y", "z", "fx", "fy", "fz")
# How many of the three colours a pixel of each encoding has, and their order as r g b.
_ENCODINGS = {"rgb8": (3, [0, 1, 2]), "bgr8": (3, [2, 1, 0]), "mono8": (1, [0, 0, 0])}


def nanoseconds(stamp: Any) -> int:
    """Return a stamp in whole nanoseconds."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def seconds(time_ns: int) -> float:
    """Return whole nanoseconds in seconds, to the bit as the nodes read a stamp."""
    sec, nanosec = divmod(time_ns, 1_000_000_000)
    return sec + nanosec * 1e-9


def first_stamp(data: bytes) -> tuple[int, int]:
    """Return seconds and nanoseconds of the stamp that a serialized message with a header begins with; struct.error where it is too short.

    CDR: four bytes that tell the order of bytes, then the message.
    """
    sec, nanosec = struct.unpack_from("<iI" if data[1] & 1 else ">iI", data, 4)
    return sec, nanosec


def wrench(message: Any) -> Array:
    """Return force_N, torque_Nm (6,) of a WrenchStamped."""
    force, torque = message.wrench.force, message.wrench.torque
    return np.array([force.x, force.y, force.z, torque.x, torque.y, torque.z])


def pose(message: Any) -> list[float]:
    """Return `x y z, qx qy qz qw` of a Pose."""
    position, rotation = message.position, message.orientation
    return [position.x, position.y, position.z, rotation.x, rotation.y, rotation.z, rotation.w]


def chunk(message: Any) -> ActionChunk | None:
    """Return the chunk of an ActionChunk, None where it is empty: its sender takes its plan back. Raises DataError."""
    if message.steps == 0:
        return None
    if message.kind not in list(ChunkKind) or len(message.data) % message.steps or not message.dt_s > 0.0:
        raise DataError(
            f"chunk {message.sequence} of '{message.bundle}': kind '{message.kind}', {len(message.data)} values in {message.steps} steps "
            f"of {message.dt_s} s; expected kind {' or '.join(ChunkKind)} and whole rows. It was not used."
        )
    data = np.array(message.data, dtype=np.float32).reshape(message.steps, -1)
    anchor = checked_pose(message.anchor, f"anchor of chunk {message.sequence}")
    stamp_s = seconds(nanoseconds(message.header.stamp))
    return ActionChunk(stamp_s, ChunkKind(message.kind), message.dt_s, data, anchor, message.sequence, message.bundle, message.bundle_hash)


def taxels(message: Any) -> NDArray[np.float32]:
    """Return taxels (fingers, taxels, 6) of a PointCloud2: x y z [m], fx fy fz [N]. Raises ValueError for another layout."""
    if tuple(field.name for field in message.fields) != TAXEL_FIELDS or message.point_step != 4 * len(TAXEL_FIELDS):
        raise ValueError(f"touch has other fields than {TAXEL_FIELDS} as float32")
    return np.frombuffer(message.data, "<f4").reshape(message.height, message.width, len(TAXEL_FIELDS))


def image(message: Any) -> NDArray[np.uint8]:
    """Return an image (H, W, 3) in rgb. Raises ValueError for an encoding that has no colours of 8 bits."""
    if message.encoding not in _ENCODINGS:
        raise ValueError(f"an image is {message.encoding}, expected one of {', '.join(_ENCODINGS)}")
    channels, order = _ENCODINGS[message.encoding]
    rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
    pixels = rows[:, : message.width * channels].reshape(message.height, message.width, channels)
    return pixels if order == [0, 1, 2] else pixels[:, :, order]


def joint_values(message: Any, names: Sequence[str], field: str) -> Array | None:
    """Return `field` (position, velocity, effort) of the joints `names`, in that order; None where the message has none of it.

    Raises ValueError where it has some of it.
    """
    values, have = getattr(message, field), list(message.name)
    if not len(values):
        return None
    if len(values) != len(have) or not set(names) <= set(have):
        raise ValueError(f"joint states have {len(values)} of '{field}' for {have}, expected {list(names)}")
    ordered = values if have == list(names) else [values[have.index(name)] for name in names]
    return np.array(ordered, np.float64)
