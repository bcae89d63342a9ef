"""The emergency stop in a terminal: what the graph says of it, and the keys that press and reset it."""

import time

from rclpy.task import Future
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from tactus_cli.terminal import keys
from tactus_core.errors import DeviceError
from tactus_msgs.msg import Verdict
from tactus_nodes import topics
from tactus_nodes.client import GraphSession

_PRESS_S = 5.0
_SILENT_S = 0.5  # as the guard judges it
_ROUND_S = 0.05
_HELP = "space or enter: press · r: reset · q: leave"


class EstopPanel:
    """Presses and resets through a session; leaving does neither."""

    def __init__(self, session: GraphSession) -> None:
        self._session = session
        self._request = session.node.create_publisher(topics.ESTOP_REQUEST.type, topics.ESTOP_REQUEST.name, topics.ESTOP_REQUEST.qos)
        self._estop = self._ready = False
        self._estop_s = self._verdict_s = float("-inf")
        self._verdict = Verdict()
        self._reset = session.node.create_client(Trigger, "supervisor/reset")
        self._answer: Future | None = None  # to a reset
        self._said = _HELP
        self._pressing = False
        session.tolerate_faults()
        session.listen(topics.ESTOP, self._take_estop)
        session.listen(topics.READY, self._take_ready)
        session.listen(topics.VERDICT, self._take_verdict)

    def press(self) -> None:
        """Press, and wait until the graph says so; raises DeviceError where it does not."""
        deadline_s = time.monotonic() + _PRESS_S
        while not (self._estop and self._heard(self._estop_s)):
            if time.monotonic() > deadline_s:
                raise DeviceError(
                    f"the emergency stop was pressed, but no supervisor confirmed it within {_PRESS_S:.0f} s. Use the robot's own stop; "
                    "then check that the graph runs on this ROS_DOMAIN_ID."
                )
            self._request.publish(Bool(data=True))
            self._session.listen_for(_ROUND_S)

    def reset(self) -> str:
        """Reset, and return what the guard says; raises DeviceError where it is refused."""
        message: str = self._session.call(Trigger, "supervisor/reset").message
        return message

    def run(self, console: Console) -> None:
        """Show the state and obey keys until q."""
        with keys() as read, Live(self.view(), console=console, auto_refresh=False) as live:
            while "q" not in (pressed := read()):
                self._obey(pressed)
                self._session.listen_for(_ROUND_S)
                live.update(self.view(), refresh=True)

    def view(self) -> Table:
        """Return what is known, with what is no longer told marked as such."""
        estop = Text("PRESSED", "bold white on red") if self._estop else Text("released", "green")
        if not self._heard(self._estop_s):
            estop = Text("not told: the guard counts that as pressed", "bold red")
        table = Table(box=None, show_header=False)
        table.add_row("emergency stop", estop)
        verdict = Text(f"{self._verdict.state}  {', '.join(self._verdict.reasons)}")
        table.add_row("guard", verdict if self._heard(self._verdict_s) else Text("not heard", "bold red"))
        table.add_row("ready", "yes" if self._ready else "no")
        table.add_row("", Text(self._said, "dim"))
        return table

    def _obey(self, pressed: str) -> None:
        """Act on keys, and on what came of the ones before; a press goes before whatever else was typed, and waits for nothing."""
        if any(key in pressed for key in " \r\n"):
            self._pressing, self._said = True, "pressing ..."
        elif "r" in pressed and self._answer is None:
            self._pressing, self._said = False, "resetting ..."
            self._answer = self._reset.call_async(Trigger.Request())
        if self._pressing:
            self._request.publish(Bool(data=True))
            if self._estop and self._heard(self._estop_s):
                self._pressing, self._said = False, _HELP
        if self._answer is not None and self._answer.done():
            self._said, self._answer = self._answer.result().message, None
        elif self._answer is not None and not self._heard(self._estop_s):
            self._said, self._answer = "no answer: the supervisor is gone", None

    def _heard(self, when_s: float) -> bool:
        return time.monotonic() - when_s <= _SILENT_S

    def _take_estop(self, message: Bool) -> None:
        self._estop, self._estop_s = message.data, time.monotonic()

    def _take_ready(self, message: Bool) -> None:
        self._ready = message.data

    def _take_verdict(self, message: Verdict) -> None:
        self._verdict, self._verdict_s = message, time.monotonic()
