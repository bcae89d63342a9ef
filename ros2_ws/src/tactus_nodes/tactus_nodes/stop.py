"""When a process has to end.

SIGINT reaches every process of a graph at once (a terminal and `ros2 launch` both see to that). The supervisor then takes the graph down in
order; a node waits for it, and leaves by itself where nobody came in time. SIGTERM, or a second SIGINT, ends a node at once.
Where the process that started it is gone, nobody is left to send a signal: that counts as SIGINT.
"""

import os
import signal
import time
from typing import Any

GRACE_S = 1.0


class StopRequest:
    """Hears SIGINT and SIGTERM from its construction on."""

    def __init__(self, grace_s: float = GRACE_S) -> None:
        self._grace_s = grace_s
        self._deadline_s: float | None = None
        self._parent = os.getppid()
        signal.signal(signal.SIGINT, self._interrupt)
        signal.signal(signal.SIGTERM, self._terminate)

    @property
    def asked(self) -> bool:
        """Whether any signal has come, or the parent is gone."""
        if self._deadline_s is None and os.getppid() != self._parent:
            self._deadline_s = time.monotonic() + self._grace_s
        return self._deadline_s is not None

    def due(self) -> bool:
        """Return whether the process must end now."""
        return self.asked and time.monotonic() >= (self._deadline_s or 0.0)

    def _interrupt(self, number: int, frame: Any) -> None:
        self._deadline_s = time.monotonic() + (0.0 if self.asked else self._grace_s)

    def _terminate(self, number: int, frame: Any) -> None:
        self._deadline_s = time.monotonic()
