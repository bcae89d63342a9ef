"""RTDE, protocol 2, and what its fields mean for an arm (Universal Robots, "Real-Time Data Exchange guide").

Packet: size (u16, of all of it), type (u8), payload; big-endian. A client asks for fields by name once, as a recipe; the robot answers
with their types, and from the start on sends them packed, in packets of type DATA that begin with the number of the recipe.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from tactus_core.errors import DeviceError
from tactus_core.geometry import rotation_matrix
from tactus_core.types import Array

DASHBOARD_PORT, SCRIPT_PORT, RTDE_PORT = 29999, 30003, 30004
JOINTS = ("shoulder_pan_joint", "shoulder_lift_joint", "elbow_joint", "wrist_1_joint", "wrist_2_joint", "wrist_3_joint")
_TURN_RAD = 2.0 * np.pi
LIMITS_RAD = np.array([(-_TURN_RAD, _TURN_RAD)] * 2 + [(-np.pi, np.pi)] + [(-_TURN_RAD, _TURN_RAD)] * 3)

PROTOCOL = 2
RUNNING, NORMAL, REDUCED, PROTECTIVE_STOP, PLAYING, STOPPED = 7, 1, 2, 3, 2, 1
_ROBOT_MODES = {
    0: "disconnected", 1: "waits for the safety to be confirmed", 2: "booting", 3: "power is off", 4: "power is on", 5: "idle, brakes on",
    6: "backdrive", 8: "updating firmware",
}  # fmt: skip
_SAFETY_MODES = {
    3: "protective stop", 4: "recovery", 5: "safeguard stop", 6: "system emergency stop", 7: "robot emergency stop", 8: "violation",
    9: "fault", 10: "joint identification", 11: "undefined", 12: "automatic mode safeguard stop", 13: "three-position enabling stop",
}  # fmt: skip

_RUNTIME_STATES = range(6)

_HEADER = struct.Struct(">HB")
_LONGEST = 4096
_FORMATS = {
    "BOOL": "?", "UINT8": "B", "UINT32": "I", "UINT64": "Q", "INT32": "i", "DOUBLE": "d", "VECTOR3D": "3d", "VECTOR6D": "6d",
    "VECTOR6INT32": "6i", "VECTOR6UINT32": "6I",
}  # fmt: skip


class Kind(IntEnum):
    """Types of packets."""

    INPUTS = 73
    TEXT = 77
    OUTPUTS = 79
    PAUSE = 80
    START = 83
    DATA = 85
    VERSION = 86
    CONTROLLER = 118


class Packets:
    """Cuts a stream of bytes into packets."""

    def __init__(self) -> None:
        self._buffer = b""

    def take(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Take in bytes; yield type and payload of whole packets. Raises DeviceError where they are none: all that follows is lost."""
        self._buffer += data
        while len(self._buffer) >= _HEADER.size:
            size, kind = _HEADER.unpack_from(self._buffer)
            if not _HEADER.size <= size <= _LONGEST or kind not in _KINDS:
                raise DeviceError(f"a packet of type {kind} and {size} bytes came, which RTDE does not have: something was lost.")
            if len(self._buffer) < size:
                return
            payload, self._buffer = self._buffer[_HEADER.size : size], self._buffer[size:]
            yield kind, payload


_KINDS = frozenset(Kind)


def pack(kind: Kind, payload: bytes = b"") -> bytes:
    """Return a packet."""
    return _HEADER.pack(_HEADER.size + len(payload), kind) + payload


class Recipe:
    """Fields by name and type, in order; they are packed one after the other."""

    def __init__(self, number: int, names: Sequence[str], types: Sequence[str]) -> None:
        """Raises DeviceError for a type that RTDE does not have, as NOT_FOUND and IN_USE."""
        bad = [f"{name} ({kind})" for name, kind in zip(names, types, strict=False) if kind not in _FORMATS]
        if bad or len(names) != len(types):
            raise DeviceError(f"the controller has {len(types)} of {len(names)} fields; it refuses {', '.join(bad) or 'none'}. Update it.")
        self.number, self.names = number, tuple(names)
        self._formats = [struct.Struct(">" + _FORMATS[kind]) for kind in types]
        self.size = 1 + sum(each.size for each in self._formats)

    def pack(self, values: Sequence[Any]) -> bytes:
        """Return the payload that says these values; a vector is a sequence."""
        flat = [each.pack(*np.atleast_1d(value).tolist()) for each, value in zip(self._formats, values, strict=True)]
        return bytes([self.number]) + b"".join(flat)

    def parse(self, payload: bytes) -> dict[str, Any] | None:
        """Return the values by name, a vector as an array; None where the payload is none of this recipe."""
        if len(payload) != self.size or payload[0] != self.number:
            return None
        values, at = {}, 1
        for name, each in zip(self.names, self._formats, strict=True):
            found = each.unpack_from(payload, at)
            values[name] = found[0] if len(found) == 1 else np.array(found)
            at += each.size
        return values


def parse_recipe(payload: bytes, names: Sequence[str]) -> Recipe:
    """Return the recipe that the robot agreed to; raises DeviceError where it did not."""
    if len(payload) < 2:
        raise DeviceError("the robot's answer to a recipe is empty.")
    return Recipe(payload[0], names, payload[1:].decode("ascii", "replace").split(","))


# What the driver asks for; what tells that no byte was lost on the way comes last.
OUTPUTS = (
    "timestamp", "actual_q", "actual_qd", "actual_current", "actual_TCP_pose", "actual_TCP_force", "tcp_offset", "robot_mode",
    "safety_mode", "runtime_state",
)  # fmt: skip


def known(values: Mapping[str, Any]) -> bool:
    """Return whether the modes are any that a robot has. They come last: where bytes were lost before them, they are none."""
    return (
        values["robot_mode"] in {*_ROBOT_MODES, RUNNING}
        and values["safety_mode"] in {*_SAFETY_MODES, NORMAL, REDUCED}
        and values["runtime_state"] in _RUNTIME_STATES
    )


def trouble(robot_mode: int, safety_mode: int) -> str:
    """Return what keeps the robot from moving, and what mends it; empty: nothing."""
    if safety_mode not in (NORMAL, REDUCED):
        return f"the robot is in {_SAFETY_MODES.get(safety_mode, f'safety mode {safety_mode}')}. See the teach pendant; unlock it there."
    if robot_mode != RUNNING:
        return f"the robot does not run: {_ROBOT_MODES.get(robot_mode, f'mode {robot_mode}')}. Switch it on and release its brakes."
    return ""


@dataclass(frozen=True)
class Force:
    """Where and with which sign a controller tells `actual_TCP_force`; its axes are the base's in any case.

    at: `flange` on e-Series (PolyScope 5, told by UR's own driver, pull request 1287), `tcp` on CB3 and with a sensor of another maker.
    sign: 1 where it is what the environment applies to the tool.
    """

    at: str
    sign: float

    def wrench_tcp(self, force: Array, pose_base_tcp: Array, tcp_offset: Array) -> Array:
        """Return the wrench (6,) that the environment applies to the tool, in the tcp frame; poses (6,): position, rotation vector."""
        R_tcp_base = rotation_matrix(pose_base_tcp[3:]).T
        force_N, torque_Nm = self.sign * R_tcp_base @ force[:3], self.sign * R_tcp_base @ force[3:]
        if self.at == "flange":
            flange_tcp_m = -rotation_matrix(tcp_offset[3:]).T @ tcp_offset[:3]
            torque_Nm = torque_Nm + np.cross(flange_tcp_m, force_N)
        return np.concatenate([force_N, torque_Nm])
