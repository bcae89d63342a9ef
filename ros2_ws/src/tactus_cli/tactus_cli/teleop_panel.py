"""A keyboard as an input device: publishes its keys as axes, and shows who moves the robot."""

import time

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text
from sensor_msgs.msg import Joy
from std_msgs.msg import Bool

from tactus_cli.terminal import keys
from tactus_core.teleop.keys import Keys
from tactus_msgs.msg import EpisodeMark, Verdict
from tactus_nodes import convert_tactus, topics
from tactus_nodes.client import GraphSession

_ROUND_S = 0.03
_SILENT_S = 0.5
_MARKS = {"b": EpisodeMark.BEGIN, "y": EpisodeMark.SUCCESS, "n": EpisodeMark.FAILURE, "m": EpisodeMark.NOTE}
_HELP = (
    "w s a d r f: move · u o i k j l: turn · h: hold still, and keep control · nothing: the policy has control",
    "b: an episode begins · y: it ends, a success · n: it ends, a failure · m: mark this moment",
    "space or enter: emergency stop · q: leave. A key is held by repeating: make that begin early, as by xset r rate 200 30",
)


class TeleopPanel:
    """Its end says nothing: whoever leaves while a key is down has not given control back."""

    def __init__(self, session: GraphSession) -> None:
        self._session, self._keys = session, Keys()
        self._joy, self._estop, self._marks = (
            session.node.create_publisher(topic.type, topic.name, topic.qos)
            for topic in (topics.KEYBOARD, topics.ESTOP_REQUEST, topics.MARK)
        )
        self._verdict, self._verdict_s = Verdict(), float("-inf")
        session.tolerate_faults()
        session.listen(topics.VERDICT, self._take_verdict)

    def run(self, console: Console) -> None:
        """Publish until q."""
        with keys() as read, Live(self.view(), console=console, auto_refresh=False) as live:
            while "q" not in (pressed := read()):
                if any(key in pressed for key in " \r\n"):
                    self._estop.publish(Bool(data=True))
                for key in set(pressed) & set(_MARKS):
                    self._marks.publish(convert_tactus.to_mark(_MARKS[key], self._session.node.get_clock().now().to_msg()))
                self._keys.press(pressed, time.monotonic())
                self._tell()
                live.update(self.view(), refresh=True)

    def view(self) -> Table:
        """Return who moves the robot, and what the keys say."""
        heard = time.monotonic() - self._verdict_s <= _SILENT_S
        why = ", ".join(self._verdict.reasons)
        table = Table(box=None, show_header=False)
        table.add_row("robot", Text(f"{self._verdict.state}  {self._verdict.source}  {why}") if heard else Text("not heard", "bold red"))
        axes = self._keys.axes(time.monotonic())
        moves = "  ".join(f"{name} {value:+.0f}" for name, value in zip("xyzαβγ", axes, strict=True) if value)
        table.add_row("keys", (moves or "hold still") if self._keys.held(time.monotonic()) else "none")
        for line in _HELP:
            table.add_row("", Text(line, "dim"))
        return table

    def _tell(self) -> None:
        now_s = time.monotonic()
        message = Joy(axes=self._keys.axes(now_s), buttons=[int(self._keys.held(now_s))])
        message.header.stamp = self._session.node.get_clock().now().to_msg()
        self._joy.publish(message)
        self._session.listen_for(_ROUND_S)

    def _take_verdict(self, message: Verdict) -> None:
        self._verdict, self._verdict_s = message, time.monotonic()
