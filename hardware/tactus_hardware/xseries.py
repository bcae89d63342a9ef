"""Dynamixel servos of the X series: the registers that drivers share, and what their numbers mean. From ROBOTIS' control table."""

import struct
from collections.abc import Sequence

import numpy as np

from tactus_hardware.ports import HandState

# Addresses. Below 64 they can be written with torque off only.
MODEL = 0
TORQUE_ENABLE = 64
STATE = 126  # current, velocity, position: one block
_STATE = struct.Struct("<hii")
STATE_BYTES = _STATE.size
RAD_PER_COUNT = 2.0 * np.pi / 4096
MIDDLE_RAD = np.pi  # half a turn, which counts as 0 rad
A_PER_COUNT = 1e-3
_RAD_S_PER_COUNT = 0.229 * 2.0 * np.pi / 60.0


def parse_state(blocks: Sequence[bytes]) -> HandState:
    """Return the state of joints from their servos' blocks, each of at least 10 bytes; joint forces are not measured."""
    current, velocity, position = np.array([_STATE.unpack_from(block) for block in blocks], dtype=np.float64).T
    return HandState(
        position * RAD_PER_COUNT - MIDDLE_RAD, velocity * _RAD_S_PER_COUNT, current * A_PER_COUNT, np.full(len(blocks), np.nan)
    )
