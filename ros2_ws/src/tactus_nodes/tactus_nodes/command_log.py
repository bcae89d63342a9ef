"""What a device was told, noted by the device itself: to be held against a recording."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from geometry_msgs.msg import PoseStamped


class CommandLog:
    """A line for each command: its topic, steady time [s], the stamp's seconds and nanoseconds, then its values, digit by digit."""

    def __init__(self, file: TextIO | None) -> None:
        self._file = file

    @classmethod
    def of(cls, path: str) -> "CommandLog":
        """Return the one that writes to `path`; empty: nothing is noted. Raises OSError."""
        if not path:
            return cls(None)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return cls(Path(path).open("w"))

    def before(self, topic: str, take: Callable[[Any], None]) -> Callable[[Any], None]:
        """Return what notes a command of that topic, a PoseStamped or a JointState, and then takes it."""
        if self._file is None:
            return take

        def noted(message: Any) -> None:
            self._note(topic, message, time.monotonic())
            take(message)

        return noted

    def close(self) -> None:
        """Bring it to the disk."""
        if self._file is not None:
            self._file.close()

    def _note(self, topic: str, message: Any, now_s: float) -> None:
        if isinstance(message, PoseStamped):
            p, q = message.pose.position, message.pose.orientation
            values = (p.x, p.y, p.z, q.x, q.y, q.z, q.w)
        else:
            values = tuple(message.position)
        stamp = message.header.stamp
        print(topic, repr(now_s), stamp.sec, stamp.nanosec, *map(repr, values), file=self._file)
