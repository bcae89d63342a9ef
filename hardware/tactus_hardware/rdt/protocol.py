"""RDT: requests and records in big-endian counts, and what the counts mean.

Record: 36 bytes: stream sequence, measurement sequence, status, six counts (Fx Fy Fz Tx Ty Tz). UDP guards it against damage and
nothing guards it against loss, repetition or a change of order: the two sequences do (`tactus_hardware.order`).
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from xml.etree import ElementTree

import numpy as np

from tactus_core.errors import DeviceError
from tactus_core.types import Array

CALIBRATION_PATH = "/netftapi2.xml"
LONGEST_XML_BYTES = 1 << 16
# A threshold that somebody set in the sensor's own monitor was crossed once: the measurement is as good as ever.
MONITOR_LATCHED = 0x80010000
SATURATED = 0x00020000

_MAGIC = 0x1234
_REQUEST = struct.Struct(">HHI")
_RECORD = struct.Struct(">III6i")
RECORD_BYTES = _RECORD.size

_FORCE_N = {"N": 1.0, "kN": 1e3, "lbf": 4.4482216152605, "klbf": 4448.2216152605, "kgf": 9.80665, "kg": 9.80665}
_TORQUE_Nm = {
    "Nm": 1.0, "N-m": 1.0, "Nmm": 1e-3, "N-mm": 1e-3, "kN-m": 1e3, "kNm": 1e3,
    "lbf-in": 0.1129848290276, "lbf-ft": 1.3558179483314, "kg-cm": 0.0980665, "kgf-cm": 0.0980665,
}  # fmt: skip


class Command(IntEnum):
    """What a sensor can be asked."""

    STOP = 0
    STREAM = 2


@dataclass(frozen=True)
class Record:
    """One measurement as it came; counts: (Fx, Fy, Fz, Tx, Ty, Tz)."""

    rdt_sequence: int
    ft_sequence: int
    status: int
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Calibration:
    """Counts per newton and per newton metre."""

    counts_per_N: float
    counts_per_Nm: float

    def wrench(self, counts: tuple[int, ...]) -> Array:
        """Return force_N, torque_Nm (6,)."""
        return np.array(counts) / self._counts()

    def counts(self, wrench: Array) -> tuple[int, ...]:
        """Return the counts that say this wrench (6,), limited to what 32 bits hold."""
        return tuple(int(c) for c in np.clip(np.rint(wrench * self._counts()), -(2**31), 2**31 - 1))

    def _counts(self) -> Array:
        return np.array([self.counts_per_N] * 3 + [self.counts_per_Nm] * 3)


HEX_CALIBRATION = Calibration(10_000.0, 100_000.0)


def pack_request(command: int) -> bytes:
    """Return a request; a stream is asked for without an end."""
    return _REQUEST.pack(_MAGIC, command, 0)


def parse_request(datagram: bytes) -> int | None:
    """Return the command of a request, None if it is none."""
    if len(datagram) != _REQUEST.size:
        return None
    magic, command, _ = _REQUEST.unpack(datagram)
    return command if magic == _MAGIC else None


def pack_record(record: Record) -> bytes:
    """Return the datagram of a record."""
    return _RECORD.pack(record.rdt_sequence, record.ft_sequence, record.status, *record.counts)


def parse_record(datagram: bytes) -> Record | None:
    """Return the record in a datagram, None if it is none."""
    if len(datagram) != RECORD_BYTES:
        return None
    rdt_sequence, ft_sequence, status, *counts = _RECORD.unpack(datagram)
    return Record(rdt_sequence, ft_sequence, status, tuple(counts))


def parse_calibration(xml: bytes) -> Calibration:
    """Return the calibration in `netftapi2.xml`; raises DeviceError where a tag is missing, or is not what it should be."""
    # Declarations of entities are the one part of XML that can grow without bound; a sensor sends none.
    if len(xml) > LONGEST_XML_BYTES or b"<!ENTITY" in xml or b"<!DOCTYPE" in xml:
        raise DeviceError(f"{CALIBRATION_PATH} is no calibration: {len(xml)} bytes, or with declarations. Is this an ATI sensor?")
    try:
        root = ElementTree.fromstring(xml)
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # LookupError: an encoding of no known name
        raise DeviceError(f"{CALIBRATION_PATH} is no XML: {error}. Is this an ATI sensor?") from None
    force_N, torque_Nm = _choice(root, "scfgfu", _FORCE_N), _choice(root, "scfgtu", _TORQUE_Nm)
    return Calibration(_number(root, "cfgcpf") / force_N, _number(root, "cfgcpt") / torque_Nm)


def _text(root: ElementTree.Element, tag: str) -> str:
    found = [(element.text or "").strip() for element in root.iter(tag)]
    if len(found) != 1:
        raise DeviceError(f"{CALIBRATION_PATH} has {len(found)} tags '{tag}', expected one. Is this an ATI sensor, model: netft?")
    return found[0]


def _choice(root: ElementTree.Element, tag: str, known: dict[str, float]) -> float:
    unit = _text(root, tag)
    if unit not in known:
        raise DeviceError(f"{CALIBRATION_PATH}: unit '{unit}' in '{tag}' is unknown, expected one of {', '.join(known)}.")
    return known[unit]


def _number(root: ElementTree.Element, tag: str) -> float:
    text = _text(root, tag)
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1e-6 < value < 1e12:
        raise DeviceError(f"{CALIBRATION_PATH}: '{tag}' is '{text}', expected a number of counts per unit.")
    return value
