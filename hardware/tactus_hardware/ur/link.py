"""What the driver and the process that moves the robot tell each other, over a pair of sockets that keep messages whole."""

import contextlib
import socket
import struct

import numpy as np

from tactus_core.types import Array

ALIVE, FAILED = b".", b"!"  # by the process: it follows; it ends, and why
_MESSAGE = struct.Struct("12d")
NOTHING = np.full(6, np.nan)


def pack(target_rad: Array, measured_rad: Array) -> bytes:
    """Return a message to the process; target: `NOTHING` where this is but a sign of life."""
    return _MESSAGE.pack(*target_rad, *measured_rad)


def parse(message: bytes) -> tuple[Array, Array]:
    """Return target and measured position."""
    numbers = np.array(_MESSAGE.unpack(message))
    return numbers[:6], numbers[6:]


def received(link: socket.socket) -> tuple[list[bytes], bool]:
    """Return the messages that have come, and whether the other end is still there. Does not wait."""
    messages: list[bytes] = []
    with contextlib.suppress(BlockingIOError):
        while message := link.recv(4096, socket.MSG_DONTWAIT):
            messages.append(message)
        return messages, False
    return messages, True
