"""Registers of the hand, and what their numbers mean for its joints.

The hand counts in thousandths of each motor's way, 1000 is open; here a joint is 0 open and positive closed. The ranges in rad are those
in common use for these hands; no source of the maker's was at hand to hold them against.
"""

from collections.abc import Sequence

import numpy as np

from tactus_core.types import Array

JOINTS = ("little", "ring", "middle", "index", "thumb_bend", "thumb_rotation")
LIMITS_RAD = np.array([(0.0, 1.7)] * 4 + [(0.0, 0.5), (-0.1, 1.3)])

ANGLE_SET, FORCE_SET, SPEED_SET = 1486, 1498, 1522
ANGLE_ACT, FORCE_ACT, ERROR = 1546, 1582, 1606
ERROR_REGISTERS = 3  # a byte per motor
OPEN = 1000
_N_PER_GRAM = 9.80665e-3
_ERRORS = ("blocked", "too hot", "too much current", "motor failed", "no answer from the motor")


def position_rad(numbers: Sequence[int]) -> Array:
    """Return joint positions (6,) of the hand's numbers."""
    low, high = LIMITS_RAD.T
    return low + (OPEN - np.array(numbers)) / OPEN * (high - low)


def numbers(position_rad: Array) -> list[int]:
    """Return the hand's numbers for joint positions (6,), within 0..1000: −1 would mean 'as before'."""
    low, high = LIMITS_RAD.T
    return [int(n) for n in np.clip(np.rint(OPEN - (position_rad - low) / (high - low) * OPEN), 0, OPEN)]


def force_N(grams: Sequence[int]) -> Array:
    """Return forces (6,) of the numbers that the hand measures in grams."""
    return np.array(grams) * _N_PER_GRAM


def grams(force_N: float) -> int:
    """Return the number that limits a finger's force."""
    return round(force_N / _N_PER_GRAM)


def faults(registers: Sequence[int]) -> str:
    """Return what the error registers say, in words; empty: nothing."""
    codes = b"".join((register & 0xFFFF).to_bytes(2, "little") for register in registers)
    found = []
    for joint, code in zip(JOINTS, codes, strict=True):
        words = [word for bit, word in enumerate(_ERRORS) if code >> bit & 1]
        if code:
            found.append(f"{joint}: {', '.join(words) or f'error 0x{code:02x}'}")
    return "; ".join(found)
