"""What an emulated or simulated limb was asked for: a line per goal, by which others judge whether limits were kept."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO


class GoalLog:
    """A line per goal: steady time [s], each joint [rad]."""

    def __init__(self, folder: str, name: str) -> None:
        """Write NAME.txt in a folder; no folder: nothing is written."""
        self._file: TextIO | None = None
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self._file = (Path(folder) / f"{name}.txt").open("w", buffering=1)

    def note(self, goal_rad: Sequence[float]) -> float:
        """Write down a goal that was given now; return the time [s]."""
        now_s = time.monotonic()
        if self._file is not None:
            print(now_s, *goal_rad, file=self._file)
        return now_s

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
