"""Keys of a terminal, one by one and without waiting."""

import contextlib
import os
import select
import sys
import termios
import tty
from collections.abc import Iterator


@contextlib.contextmanager
def keys() -> Iterator["Reader"]:
    """Give what reads the keys of this terminal; it is restored on leaving."""
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    try:
        tty.setcbreak(number)
        yield Reader(number)
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


class Reader:
    """Reads a terminal without waiting; its end reads as q."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __call__(self) -> str:
        """Return the keys since the last call."""
        if not select.select([self._number], [], [], 0.0)[0]:
            return ""
        return os.read(self._number, 1024).decode(errors="replace") or "q"
