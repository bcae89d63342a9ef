"""Keys of a terminal as axes. A terminal tells presses only: a key is down for as long as it repeats."""

import math

# How long after it was last seen a key counts as down.
DOWN_S = 0.25
# Key → axis (x forward, y left, z up, then the turns about them), and which way.
MOVES = {
    **{"w": (0, 1.0), "s": (0, -1.0), "a": (1, 1.0), "d": (1, -1.0), "r": (2, 1.0), "f": (2, -1.0)},
    **{"o": (3, 1.0), "u": (3, -1.0), "i": (4, 1.0), "k": (4, -1.0), "j": (5, 1.0), "l": (5, -1.0)},
}
HOLD = "h"


class Keys:
    """Which keys are down; times are of one steady clock [s]. Any known key holds the dead-man's switch, and `HOLD` does no more."""

    def __init__(self) -> None:
        self._seen_s = dict.fromkeys((*MOVES, HOLD), -math.inf)

    def press(self, text: str, now_s: float) -> None:
        """Take what was typed; other keys mean nothing."""
        for key in text:
            if key in self._seen_s:
                self._seen_s[key] = now_s

    def held(self, now_s: float) -> bool:
        """Return whether a key is down."""
        return any(self._down(key, now_s) for key in self._seen_s)

    def axes(self, now_s: float) -> list[float]:
        """Return (6,) deflections; keys against each other cancel out."""
        axes = [0.0] * 6
        for key, (place, way) in MOVES.items():
            axes[place] += way * self._down(key, now_s)
        return axes

    def _down(self, key: str, now_s: float) -> bool:
        return 0.0 <= now_s - self._seen_s[key] <= DOWN_S
