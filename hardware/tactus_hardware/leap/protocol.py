"""Registers of the servos, and what their numbers mean for the hand's joints."""

import struct

import numpy as np

from tactus_hardware.xseries import MIDDLE_RAD, RAD_PER_COUNT

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
GAIN_D, GAIN_P = 80, 84
BUS_WATCHDOG = 98
GOAL_CURRENT = 102
GOAL_POSITION = 116
CURRENT_BASED_POSITION = 5
WATCHDOG_STEP_S = 0.02


def pack_goal(position_rad: float) -> bytes:
    """Return the goal position of one joint; servos are mounted so that the open hand is half a turn."""
    return struct.pack("<i", round((position_rad + MIDDLE_RAD) / RAD_PER_COUNT))
