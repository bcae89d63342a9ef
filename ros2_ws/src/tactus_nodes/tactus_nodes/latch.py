"""The latched emergency stop: who pressed it, and when it may be released. Nothing of ROS; all times of one steady clock [s]."""


class Latch:
    """Pressed by anybody, for `causes`; each press begins a cool-down of `cooldown_s`, in which it is not released."""

    def __init__(self, cooldown_s: float) -> None:
        self._cooldown_s = cooldown_s
        self._pressed_s = float("-inf")
        self._releasing = False
        self.causes: list[str] = []

    @property
    def pressed(self) -> bool:
        """What the graph is told. While a release is tried it says no already: the guard refuses to be reset before it has heard that."""
        return bool(self.causes) and not self._releasing

    def press(self, cause: str, now_s: float) -> bool:
        """Press; ends a release that is under way. Return whether that is news."""
        news = cause not in self.causes or self._releasing
        if cause not in self.causes:
            self.causes.append(cause)
        self._pressed_s, self._releasing = now_s, False
        return news

    def left_s(self, now_s: float) -> float:
        """Return what is left of the cool-down, 0 where it is over."""
        return max(0.0, self._pressed_s + self._cooldown_s - now_s) if self.causes else 0.0

    def try_release(self) -> None:
        """Begin a release: `release` or `keep` ends it."""
        self._releasing = True

    def release(self) -> None:
        """Forget the causes."""
        self.causes.clear()
        self._releasing = False

    def keep(self) -> None:
        """Give the release up."""
        self._releasing = False
