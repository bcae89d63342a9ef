"""A serial line, or a pty in its place: bytes out, bytes in until a deadline."""

import contextlib
import select
import termios
import time

import serial

from tactus_core.errors import DeviceError

_WRITE_LIMIT_S = 0.05


class SerialWire:
    """8N1, for this process alone. Every method raises OSError where the line is gone; opening one, DeviceError for a bad baud rate."""

    def __init__(self, path: str, baud: int) -> None:
        try:
            self._port = serial.Serial(path, baud, timeout=0, write_timeout=_WRITE_LIMIT_S, exclusive=True)
        except ValueError as error:
            raise DeviceError(f"{path} cannot be set to {baud} baud: {error}. Set the rate that the device has.") from None
        # FTDI chips collect bytes for 16 ms unless asked not to; other lines do not know the question.
        with contextlib.suppress(ValueError, OSError):
            self._port.set_low_latency_mode(True)

    def send(self, data: bytes) -> None:
        """Write all of it."""
        self._port.write(data)

    def receive(self, deadline_s: float) -> bytes:
        """Return what has arrived, waiting for the first byte until the deadline (steady clock); empty: nothing came."""
        ready, _, _ = select.select([self._port.fileno()], [], [], max(0.0, deadline_s - time.monotonic()))
        return self._port.read(4096) if ready else b""

    def discard(self) -> None:
        """Drop what has arrived and was not read."""
        try:
            self._port.reset_input_buffer()
        except termios.error as error:  # is no OSError, and pyserial lets it through
            raise OSError(*error.args) from None

    def close(self) -> None:
        """Close the line; never raises."""
        with contextlib.suppress(OSError):
            self._port.close()
