"""Datagrams of the V5 Sense, and what their numbers mean for its joints and its touch sensors.

Little-endian: a header of 16 bytes (magic, version, type, length of what follows, sequence, time in ms), then the rest. Source: `tcpdef.h`
and `AllegroHandTcpDrv.cpp` of the maker's allegro_hand_ros2_V5_Sense (BSD), the UDP-only protocol of March 2026. Earlier firmware (v1.2,
v1.3) numbers its types otherwise, and greets over TCP: it is not spoken here, and its datagrams are refused by their type.

The wire orders fingers thumb, index, middle, little; here it is index, middle, little, thumb, as in the URDF.
"""

import struct
from dataclasses import dataclass

import numpy as np

from tactus_core.types import Array

# As in the URDF of the right hand; from the palm outwards in each finger.
JOINTS = tuple(f"joint_{i}.0" for i in range(16))
LIMITS_RAD = np.array(
    3 * [(-0.3, 0.3), (-0.1, 1.8), (-0.1, 1.86), (-0.1, 2.01)] + [(0.0, 1.78), (-0.26, 1.78), (-0.05, 1.85), (-0.09, 1.8)]
)
# In the order of the wire; unlike the joints, they are passed on in it. The first is on the palm, the last of each finger on its tip.
TAXELS = ("palm", "thumb_1", "thumb_2", "thumb_tip", *(f"{f}_{n}" for f in ("index", "middle", "little") for n in (1, 2, 3, "tip")))

HELLO, HELLO_ANSWER, TELEMETRY, TORQUE, MOTOR_ERROR = 0x10, 0x11, 0x02, 0x03, 0x50
PERIOD_S = 0.003
# The maker's, for position control: of index, middle and little finger alike, then of the thumb.
GAIN_P_Nm_rad = np.array(3 * (0.8, 0.8, 0.6, 0.5) + (0.6, 0.6, 0.6, 0.4))
GAIN_D_Nms_rad = np.array(3 * (0.05, 0.05, 0.04, 0.04) + (0.04, 0.04, 0.04, 0.03))
# The maker halves the current of the joints that bend the fingers at the palm.
A_PER_Nm = 1.43 * np.array(3 * (1.0, 0.5, 1.0, 1.0) + (1.0,) * 4)

RAD_PER_COUNT = np.deg2rad(0.088)
_A_PER_COUNT = 1e-3
_TOUCH_PER_COUNT = 0.1
_MAGIC, _VERSION = 0x32423556, 1
_HEADER = struct.Struct("<IBBHII")
_TELEMETRY = struct.Struct("<I16h16h16H16i")
_CURRENTS = struct.Struct("<16h")
_FROM_WIRE = np.r_[4:16, 0:4]  # joint i is the wire's _FROM_WIRE[i]


@dataclass(frozen=True)
class Packet:
    """A datagram, its body still as bytes. time_ms: the sender's clock."""

    kind: int
    sequence: int
    time_ms: int
    body: bytes


@dataclass(frozen=True)
class Telemetry:
    """What the hand measured. number: counts measurements. position_rad, current_A: (16,). touch: (16,) in the order of `TAXELS`.

    touch is a tenth of what the sensors count, as the maker shows it; nobody says of which unit. Velocities come too, in a unit that nobody
    says: they are left out.
    """

    number: int
    position_rad: Array
    current_A: Array
    touch: Array


def pack(packet: Packet) -> bytes:
    """Return the datagram of a packet."""
    return _HEADER.pack(_MAGIC, _VERSION, packet.kind, len(packet.body), packet.sequence, packet.time_ms) + packet.body


def parse(datagram: bytes) -> Packet | None:
    """Return the packet of a datagram, None if it is none."""
    if len(datagram) < _HEADER.size:
        return None
    magic, version, kind, length, sequence, time_ms = _HEADER.unpack_from(datagram)
    body = datagram[_HEADER.size :]
    return Packet(kind, sequence, time_ms, body) if (magic, version, length) == (_MAGIC, _VERSION, len(body)) else None


def pack_telemetry(telemetry: Telemetry) -> bytes:
    """Return the body that says this; what 16 bits cannot hold is clipped."""
    numbers = [
        int(n)
        for values, unit in ((telemetry.position_rad, RAD_PER_COUNT), (telemetry.current_A, _A_PER_COUNT))
        for n in np.clip(np.rint(_to_wire(values) / unit), -(2**15), 2**15 - 1)
    ]
    touch = [int(n) for n in np.clip(np.rint(telemetry.touch / _TOUCH_PER_COUNT), 0, 2**16 - 1)]
    return _TELEMETRY.pack(telemetry.number, *numbers, *touch, *(0,) * 16)


def parse_telemetry(body: bytes) -> Telemetry | None:
    """Return the measurement in a body, None if it is none."""
    if len(body) != _TELEMETRY.size:
        return None
    number, *numbers = _TELEMETRY.unpack(body)
    position, current, touch, _ = np.array(numbers, dtype=np.float64).reshape(4, 16)
    return Telemetry(number, position[_FROM_WIRE] * RAD_PER_COUNT, current[_FROM_WIRE] * _A_PER_COUNT, touch * _TOUCH_PER_COUNT)


def pack_currents(current_A: Array) -> bytes:
    """Return the body that asks for motor currents (16,)."""
    return _CURRENTS.pack(*(int(n) for n in np.clip(np.rint(_to_wire(current_A) / _A_PER_COUNT), -(2**15), 2**15 - 1)))


def parse_currents(body: bytes) -> Array | None:
    """Return the currents (16,) in a body, None if it is none."""
    if len(body) != _CURRENTS.size:
        return None
    return np.array(_CURRENTS.unpack(body), dtype=np.float64)[_FROM_WIRE] * _A_PER_COUNT


def parse_motor_error(body: bytes) -> tuple[int, int] | None:
    """Return joint (0 to 15) and status in a body, None if it is none. Whether the wire counts joints in its own order is not known."""
    return (body[0] - 1, body[1]) if len(body) == 2 and 1 <= body[0] <= 16 else None


def _to_wire(values: Array) -> Array:
    wire = np.empty(16)
    wire[_FROM_WIRE] = values
    return wire
