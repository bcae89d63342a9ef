"""What a joystick says about stopping: a stop button, a dead-man button, and its silence. Nothing of ROS; times of one steady clock [s]."""

from collections.abc import Sequence


class Joystick:
    """Judges the buttons (1: down) by index. From `begin` on, silence for `timeout_s` is a stop, and nobody holds the dead-man."""

    def __init__(self, estop_button: int, dead_man_button: int, timeout_s: float) -> None:
        self._estop_button, self._dead_man_button = estop_button, dead_man_button
        self._timeout_s = timeout_s
        self.begin(0.0)

    def begin(self, now_s: float) -> None:
        """Expect to hear from it."""
        self._heard_s = now_s
        self._stop = self._held = False

    def take(self, buttons: Sequence[int], now_s: float) -> str:
        """Take a reading; return why it is none, empty where it is good. A bad one counts as silence."""
        needed = max(self._estop_button, self._dead_man_button) + 1
        if len(buttons) < needed:
            return f"the joystick has {len(buttons)} buttons, expected at least {needed}; set estop_button and dead_man_button"
        self._heard_s = now_s
        self._stop, self._held = bool(buttons[self._estop_button]), bool(buttons[self._dead_man_button])
        return ""

    def stop(self, now_s: float) -> str:
        """Return why the robot has to stop; empty where it need not."""
        if not self._fresh(now_s):
            return f"the joystick is not heard for more than {self._timeout_s} s"
        return "the stop button is down" if self._stop else ""

    def dead_man(self, now_s: float) -> bool:
        """Return whether a hand holds the dead-man button now, as far as can be known."""
        return self._held and self._fresh(now_s)

    def _fresh(self, now_s: float) -> bool:
        return 0.0 <= now_s - self._heard_s <= self._timeout_s
