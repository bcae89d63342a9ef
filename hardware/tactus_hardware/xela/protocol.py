"""What XELA's server says: JSON, `{"message": 7, "type": "routine", "1": {...}, "2": {...}}`, a patch of taxels for each sensor's number.

A patch: `time` (s, the server's clock), `model`, `taxels` (how many), `data` ("8001,7FFE,...": x y z of each taxel in hex, 16 bits),
`calibrated` ([x, y, z, ...] or null: not every sensor has it, and the server's xServ.ini switches it on). Taxels go line by line from the
top left. Each connection begins with `{"message": "Welcome"}`. All of it is from the maker's own ROS 2 node (MIT), which calls `calibrated`
forces, and names no unit.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tactus_core.errors import DataError
from tactus_core.types import Array

LONGEST_BYTES = 1 << 18
MOST_COUNTS = 0xFFFF
_SENSOR = re.compile("[1-9][0-9]{0,2}")


@dataclass(frozen=True)
class Patch:
    """One sensor. raw_counts, calibrated: (taxels, 3) x y z; calibrated None: the server has none."""

    raw_counts: Array
    calibrated: Array | None


@dataclass(frozen=True)
class Message:
    """One measurement of all sensors, by their numbers. number: counts messages. time_s: on the server's clock, None: it does not say."""

    number: int
    time_s: float | None
    patches: dict[int, Patch]


def parse_message(text: bytes) -> Message | None:
    """Return the measurement in a message; None: it holds none, as the greeting. Raises DataError for what is damaged."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"a message is not JSON: {str(error)[:80]}") from None
    if not isinstance(fields, dict):
        raise DataError(f"a message is a {type(fields).__name__}, expected an object")
    patches = {key: value for key, value in fields.items() if _SENSOR.fullmatch(key)}
    if not patches:
        return None
    number = fields.get("message")
    if type(number) is not int or number < 0:
        raise DataError(f"a message has the number {str(number)[:20]!r}, expected a whole one")
    times_s = [_time_s(patch) for patch in patches.values() if isinstance(patch, dict) and "time" in patch]
    return Message(number, max(times_s, default=None), {int(key): _patch(key, value) for key, value in patches.items()})


def _patch(key: str, value: Any) -> Patch:
    if not isinstance(value, dict) or type(value.get("taxels")) is not int or not isinstance(value.get("data"), str):
        raise DataError(f"sensor {key} lacks its 'taxels' or its 'data'")
    try:
        raw = [int(word, 16) for word in value["data"].split(",")]
    except ValueError:
        raise DataError(f"the data of sensor {key} are not hex numbers") from None
    if len(raw) != 3 * value["taxels"] or not all(0 <= number <= MOST_COUNTS for number in raw):
        raise DataError(
            f"sensor {key} says {len(raw)} numbers for {value['taxels']} taxels, or more than 16 bits hold; expected 3 for each"
        )
    found = value.get("calibrated") or None
    if found is not None and not (isinstance(found, list) and len(found) == len(raw) and all(_finite(number) for number in found)):
        raise DataError(f"the calibrated values of sensor {key} are not {len(raw)} finite numbers")
    return Patch(_taxels(raw), None if found is None else _taxels(found))


def _taxels(numbers: Sequence[float]) -> Array:
    return np.array(numbers, dtype=np.float64).reshape(-1, 3)


def _finite(number: Any) -> bool:
    # NaN fails; and an int may be too long for a float.
    return type(number) in (int, float) and abs(number) < 1e12


def _time_s(patch: dict[str, Any]) -> float:
    if not _finite(patch["time"]):
        raise DataError(f"a message has the time {str(patch['time'])[:20]!r}, expected seconds")
    return float(patch["time"])


def pack_message(message: Message, models: dict[int, str]) -> bytes:
    """Return a message as the server says it."""
    fields: dict[str, Any] = {"message": message.number, "type": "routine", "sensors": len(message.patches)}
    for sensor, patch in message.patches.items():
        fields[str(sensor)] = {
            "time": message.time_s,
            "sensor": str(sensor),
            "model": models[sensor],
            "taxels": len(patch.raw_counts),
            "data": ",".join(f"{int(number):04X}" for number in patch.raw_counts.ravel()),
            "calibrated": None if patch.calibrated is None else patch.calibrated.ravel().tolist(),
        }
    return json.dumps(fields).encode()


class Delay:
    """How much longer a message was under way than the fastest of its connection, by the clocks of both ends."""

    def __init__(self) -> None:
        self._least_s = math.inf

    def of(self, sent_s: float | None, arrived_s: float) -> float:
        """Return it in seconds; 0 where the sender tells no time."""
        if sent_s is None:
            return 0.0
        self._least_s = min(self._least_s, arrived_s - sent_s)
        return arrived_s - sent_s - self._least_s
