"""Registers of the servos, and what their numbers mean for the arm's joints.

Limits and zero are those of the arm's URDF in its new calibration: every joint is 0 in the middle of its way.
"""

import struct
from collections.abc import Sequence

import numpy as np

from tactus_core.types import Array
from tactus_hardware.feetech import signed
from tactus_hardware.ports import ArmState

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
SERVOS = dict(enumerate(JOINTS, start=1))
LIMITS_RAD = np.array(
    [(-1.91986, 1.91986), (-1.74533, 1.74533), (-1.69, 1.69), (-1.65806, 1.65806), (-2.74385, 2.84121), (-0.174533, 1.74533)]
)

# Memory table of an STS3215: addresses. Below 40 it is EEPROM; what is written there while `LOCK` is 1 lasts until power is off.
MODEL, MODE, LOCK = 3, 33, 55
GAIN_P, GAIN_D = 21, 22
TORQUE = 40
GOAL = 42  # position, time, speed: one block
TORQUE_LIMIT = 48
STATE = 56
STS3215 = 777
POSITION_MODE = 0
TORQUE_LIMIT_WHOLE = 1000

COUNTS = 4096  # of a turn
RAD_PER_COUNT = 2.0 * np.pi / COUNTS
_A_PER_COUNT = 6.5e-3
# position, velocity, load; voltage, temperature, a flag, status, moving, two that are not documented; current.
_STATE = struct.Struct("<HHH7xH")
STATE_BYTES = _STATE.size
_LOAD_SIGN_BIT = 10


class Scale:
    """What counts mean for joints: where 0 rad is, and which of the servos count against their joints."""

    def __init__(self, zero_counts: Sequence[int], reverse: Sequence[int]) -> None:
        """Both (6,); reverse: 1 where a servo counts against its joint, else 0."""
        self._zero, self._sign = np.array(zero_counts), 1 - 2 * np.array(reverse)

    def parse_state(self, blocks: Sequence[bytes]) -> ArmState | None:
        """Return the state that six blocks of at least 15 bytes say; None: a joint is beyond its servo's one turn, and may be anywhere.

        Current has the sign of the load: its own register has none. An arm of this kind measures no wrench.
        """
        count, velocity, load, current = zip(*(_STATE.unpack_from(block) for block in blocks), strict=True)
        position = np.array([signed(number) for number in count])
        if ((position < 0) | (position >= COUNTS)).any():
            return None
        pull = self._sign * np.sign([signed(number, _LOAD_SIGN_BIT) for number in load])
        return ArmState(
            self._sign * (position - self._zero) * RAD_PER_COUNT,
            self._sign * np.array([signed(number) for number in velocity]) * RAD_PER_COUNT,
            pull * np.array([abs(signed(number)) for number in current]) * _A_PER_COUNT,
            np.full(6, np.nan),
        )

    def pack_goals(self, position_rad: Array, speed_limit_rad_s: float) -> dict[int, bytes]:
        """Return for each servo its goal: where to, and how fast at most. It never leaves the one turn of the servo."""
        counts = np.clip(np.rint(self._zero + self._sign * position_rad / RAD_PER_COUNT), 0, COUNTS - 1)
        speed = max(1, round(speed_limit_rad_s / RAD_PER_COUNT))  # 0 would mean: as fast as it can
        return {servo: struct.pack("<HHH", int(count), 0, speed) for servo, count in zip(SERVOS, counts, strict=True)}
