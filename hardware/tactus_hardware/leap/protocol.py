"""Registers of the servos, and what their numbers mean for the hand's joints."""

import struct
from collections.abc import Sequence

import numpy as np

from tactus_hardware.ports import HandState

FINGERS = ("index", "middle", "ring", "thumb")
# Each finger: spread, then bend from the palm outwards. Joint i is servo i.
JOINTS = tuple(f"{finger}_{joint}" for finger in FINGERS for joint in ("side", "mcp", "pip", "dip"))
IDS = tuple(range(16))
SIDE_IDS = (0, 4, 8)
_FINGER_RAD = ((-1.047, 1.047), (-0.314, 2.23), (-0.506, 1.885), (-0.366, 2.042))
_THUMB_RAD = ((-0.349, 2.094), (-0.47, 2.443), (-1.20, 1.90), (-1.34, 1.88))
LIMITS_RAD = np.array(3 * _FINGER_RAD + _THUMB_RAD)

# Control table of X-series servos: addresses. Below 64 they can be written with torque off only.
OPERATING_MODE = 11
TORQUE_ENABLE = 64
GAIN_D, GAIN_P = 80, 84
BUS_WATCHDOG = 98
GOAL_CURRENT = 102
GOAL_POSITION = 116
STATE = 126  # current, velocity, position: one block
CURRENT_BASED_POSITION = 5
WATCHDOG_STEP_S = 0.02

_STATE = struct.Struct("<hii")
STATE_BYTES = _STATE.size
RAD_PER_COUNT = 2.0 * np.pi / 4096
_RAD_S_PER_COUNT = 0.229 * 2.0 * np.pi / 60.0
A_PER_COUNT = 1e-3
_ZERO_RAD = np.pi  # the open hand: servos are mounted so that it is half a turn


def parse_state(blocks: Sequence[bytes]) -> HandState:
    """Return the state of the 16 joints from their blocks, each of at least 10 bytes; joint forces are not measured."""
    current, velocity, position = np.array([_STATE.unpack_from(block) for block in blocks], dtype=np.float64).T
    return HandState(position * RAD_PER_COUNT - _ZERO_RAD, velocity * _RAD_S_PER_COUNT, current * A_PER_COUNT, np.full(len(blocks), np.nan))


def pack_goal(position_rad: float) -> bytes:
    """Return the goal position of one joint."""
    return struct.pack("<i", round((position_rad + _ZERO_RAD) / RAD_PER_COUNT))
