"""What a client hears of a graph's nodes: that they live, and what troubles them."""

import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

from tactus_msgs.msg import Heartbeat


class Heard:
    """alive: when each node was heard last, on the steady clock. complaint: the supervisor's, if it has one."""

    def __init__(self) -> None:
        self.alive: dict[str, float] = {}
        self.complaint = ""
        self._troubles: dict[str, str] = {}

    def beat(self, message: Heartbeat) -> None:
        """Hear a node live."""
        self.alive[message.node] = time.monotonic()

    def told(self, message: DiagnosticArray) -> None:
        """Hear what nodes say of themselves."""
        for status in message.status:
            self._troubles[status.name] = "" if status.level == DiagnosticStatus.OK else status.message
            if status.name == "supervisor":
                self.complaint = status.message if status.level == DiagnosticStatus.ERROR else ""

    def who_is_there(self) -> str:
        """Say for an error who was heard, who has fallen silent, and what they report."""
        if not self.alive:
            return "No node of the graph is heard. Is it running, with the same ROS_DOMAIN_ID?"
        now_s = time.monotonic()
        silent = sorted(name for name, heard_s in self.alive.items() if now_s - heard_s > 1.0)
        troubles = [f"{name}: {trouble}" for name, trouble in self._troubles.items() if trouble]
        heard = ", ".join(sorted(set(self.alive) - set(silent))) or "none"
        return f"Nodes heard: {heard}; fallen silent: {', '.join(silent) or 'none'}. What they report: {'; '.join(troubles) or 'nothing'}."
