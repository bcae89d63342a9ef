"""When a process has to end.

SIGINT reaches every process of a graph at once (a terminal and `ros2 launch` both see to that). The supervisor then takes the graph down in
order; a node waits for it, and leaves by itself where nobody came in time. SIGTERM, or a second SIGINT, ends a node at once.
"""

import signal
import time
from typing import Any

GRACE_S = 1.0


class StopRequest:
    """Hears SIGINT and SIGTERM from its construction on."""

    def __init__(self, grace_s: float = GRACE_S) -> None:
        self._grace_s = grace_s
        self._deadline_s: float | None = None
        signal.signal(signal.SIGINT, self._interrupt)
        signal.signal(signal.SIGTERM, self._terminate)

    @property
    def asked(self) -> bool:
        """Whether any signal has come."""
        return self._deadline_s is not None

    def due(self) -> bool:
        """Return whether the process must end now."""
        return self._deadline_s is not None and time.monotonic() >= self._deadline_s

    def _interrupt(self, number: int, frame: Any) -> None:
        self._deadline_s = time.monotonic() + (0.0 if self.asked else self._grace_s)

    def _terminate(self, number: int, frame: Any) -> None:
        self._deadline_s = time.monotonic()
