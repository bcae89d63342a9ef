"""Brings the graph up in order, watches over it, and takes it down in reverse."""

import sys
import time
from dataclasses import dataclass

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from tactus_core.config import param
from tactus_core.errors import TactusError
from tactus_msgs.msg import Heartbeat
from tactus_nodes import topics
from tactus_nodes.base import HEARTBEAT_S, NodeConfig, TactusNode
from tactus_nodes.bringup import Bringup
from tactus_nodes.process import finish
from tactus_nodes.stop import StopRequest
from tactus_nodes.watch import Watch

_WATCH_S = 0.05


@dataclass(frozen=True, kw_only=True)
class SupervisorConfig(NodeConfig):
    """Parameters of the supervisor."""

    managed: tuple[str, ...] = param(doc="Nodes to bring up, in this order; they are taken down in reverse.")
    critical: tuple[str, ...] = param(doc="Those whose loss is an emergency stop.")
    heartbeat_timeout_s: float = param(0.5, low=0.2, high=0.5, doc="Silence after which a node counts as lost.")
    start_timeout_s: float = param(30.0, low=1.0, high=600.0, doc="Time that the graph may take to come up.")


class Supervisor(TactusNode):
    """`~/estop` latches the emergency stop, `~/reset` releases it once every critical node is there; `ready` says that all are active."""

    Config = SupervisorConfig

    def configure(self) -> None:
        """Open what the graph is told by, and told."""
        self._bringup = Bringup(self, self.config.managed)
        self._guard_reset = self.create_client(Trigger, "guard/reset")
        self._estop_out, self._ready_out = self.publisher(topics.ESTOP), self.publisher(topics.READY)
        self._watch = Watch(self.config.managed, self.config.heartbeat_timeout_s)
        self._estop = ""
        self._ready = False
        self.subscribe(topics.HEARTBEAT.deeper(100), self._hear)
        self.serve(Trigger, "~/estop", self._serve_estop)
        self.serve(Trigger, "~/reset", self._serve_reset)
        self.every(_WATCH_S, self._look)
        self.every(HEARTBEAT_S, self._tell_estop)

    def activate(self) -> None:
        """Announce that nothing is stopped and nothing is ready."""
        self._tell_estop()
        self._set_ready(False)

    def bring_up(self, stop: StopRequest) -> None:
        """Take all nodes to active, unless `stop` comes first. Raises DeviceError."""
        if self._bringup.up(self.config.start_timeout_s, lambda: stop.asked):
            self._watch.begin(time.monotonic())
            self._set_ready(True)
            self.get_logger().info("ready: all nodes are active")

    def bring_down(self) -> None:
        """End all nodes in reverse order."""
        self._set_ready(False)
        self._bringup.down(without=self._watch.gone)

    def _set_ready(self, ready: bool) -> None:
        self._ready = ready
        self._ready_out.publish(Bool(data=ready))

    def _hear(self, message: Heartbeat) -> None:
        if self._watch.hear(message.node, time.monotonic()):
            self.get_logger().info(f"{message.node} is heard again")

    def _look(self) -> None:
        self.ticks += 1
        if not self._ready:
            return
        for name in self._watch.newly_lost(time.monotonic()):
            self.get_logger().error(f"{name} is lost: no heartbeat for {self.config.heartbeat_timeout_s} s")
            if name in self.config.critical:
                self._stop_all(f"{name} is lost")
        self.trouble = "; ".join(filter(None, (self._estop, *(f"{name} is lost" for name in sorted(self._watch.gone)))))

    def _stop_all(self, reason: str) -> None:
        self._estop = f"emergency stop: {reason}"
        self._tell_estop()
        self.get_logger().error(self._estop)

    def _tell_estop(self) -> None:
        # Told again and again, not only when it changes: its silence is how the guard learns that nobody watches any more.
        self._estop_out.publish(Bool(data=bool(self._estop)))

    def _serve_estop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._stop_all("asked for")
        response.success, response.message = True, self._estop
        return response

    def _serve_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        missing = ", ".join(sorted(self._watch.gone.intersection(self.config.critical)))
        response.success, response.message = not missing, f"stopped until {missing} is heard again" if missing else "released"
        if not missing:
            self._estop = ""
            self._tell_estop()
            self._guard_reset.call_async(Trigger.Request()).add_done_callback(self._hear_guard)
        return response

    def _hear_guard(self, answer: Future) -> None:
        if not answer.result().success:
            self.get_logger().error(answer.result().message)

    def statuses(self) -> list[DiagnosticStatus]:
        """Return the graph's state, then one status per managed node."""
        own = super().statuses()
        if self._estop:
            own[0].level = DiagnosticStatus.ERROR
        for name in self.config.managed:
            lost = name in self._watch.gone
            age = KeyValue(key="heartbeat_age_s", value=f"{self._watch.age_s(name, time.monotonic()):.2f}")
            level = DiagnosticStatus.STALE if lost else DiagnosticStatus.OK
            own.append(DiagnosticStatus(level=level, name=f"supervisor: {name}", message="lost" if lost else "", values=[age]))
        return own


def main() -> None:
    """Run the supervisor until it is interrupted: 0 where the graph came up and went down in order, else 1."""
    stop = StopRequest()
    rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = Supervisor("supervisor")
    except TactusError as error:
        sys.exit(f"error: {error}")
    node.trigger_configure()
    node.trigger_activate()
    code = 0
    try:
        node.bring_up(stop)
        while not stop.asked:
            node.loop.spin_once(HEARTBEAT_S)
    except TactusError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 1
    node.bring_down()
    finish(node, code)
