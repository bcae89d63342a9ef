"""What there is to tell of a driver: whether it is connected, how often it reads, and what went wrong how often."""

from collections import deque

_WINDOW_S = 1.0


class Health:
    """`trouble`: what is wrong now and what mends it, or empty. `counts` only ever grow; `faults` names the driver's own."""

    def __init__(self, *faults: str) -> None:
        self.connected = False
        self.trouble = "not opened yet"
        self.counts = dict.fromkeys(("readings", "connections", "late", *faults), 0)
        self._stamps_s: deque[float] = deque()

    def count(self, fault: str, more: int = 1) -> None:
        """Count a fault by the name that the driver declared."""
        self.counts[fault] += more

    def reading(self, now_s: float, warning: str) -> None:
        """Note a good reading; `warning`: what is wrong with the device all the same."""
        self.counts["readings"] += 1
        self.trouble = warning
        self._stamps_s.append(now_s)
        self._forget(now_s)

    def rate_Hz(self, now_s: float) -> float:
        """Return good readings per second, over the last second."""
        self._forget(now_s)
        return len(self._stamps_s) / _WINDOW_S

    def _forget(self, now_s: float) -> None:
        while self._stamps_s and self._stamps_s[0] <= now_s - _WINDOW_S:
            self._stamps_s.popleft()
