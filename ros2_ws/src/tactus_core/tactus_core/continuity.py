"""Where a robot is cannot jump: positions are believed when they continue what was believed, or, anew, what was heard just before."""

import numpy as np

from tactus_core.types import Array

_SLACK_RAD = 0.02  # what filters and quantised encoders add to a step


class Continuity:
    """Tells the positions of a live robot from those of somebody else who publishes on the same topic.

    speed_rad_s: (joints,) fastest that each joint can move. memory_s: age from which the last believed positions say nothing any more;
    then two in a row that agree are believed.
    """

    def __init__(self, speed_rad_s: Array, memory_s: float) -> None:
        self._speed_rad_s, self._memory_s = speed_rad_s, memory_s
        self._believed: tuple[Array, float] | None = None
        self._heard: tuple[Array, float] | None = None

    def believes(self, q_rad: Array, now_s: float) -> bool:
        """Return whether positions (joints,) that arrive at `now_s`, steady clock, may be where the robot is."""
        known = self._believed if self._believed is not None and now_s - self._believed[1] <= self._memory_s else self._heard
        self._heard = (q_rad, now_s)
        if known is None:
            return False
        reach_rad = self._speed_rad_s * min(now_s - known[1], self._memory_s) + _SLACK_RAD
        if not (np.abs(q_rad - known[0]) <= reach_rad).all():
            return False
        self._believed = self._heard
        return True
