"""Brings the graph up in order, watches over it, brings back what was restarted, and takes it all down in reverse."""

import sys
import time
from dataclasses import dataclass

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import Bool

from tactus_core.config import param
from tactus_core.errors import ConfigError, TactusError
from tactus_msgs.msg import Heartbeat
from tactus_nodes import topics
from tactus_nodes.base import HEARTBEAT_S, NodeConfig, TactusNode
from tactus_nodes.bringup import INPUTS, Bringup
from tactus_nodes.emergency_stop import EmergencyStop
from tactus_nodes.process import finish
from tactus_nodes.stop import StopRequest
from tactus_nodes.watch import Stage, Watch

_LOOK_S = 0.05
_LEVELS = {Stage.ACTIVE: DiagnosticStatus.OK, Stage.COMING: DiagnosticStatus.WARN, Stage.LOST: DiagnosticStatus.STALE}


@dataclass(frozen=True, kw_only=True)
class SupervisorConfig(NodeConfig):
    """Parameters of the supervisor."""

    managed: tuple[str, ...] = param(doc="Nodes to bring up, in this order; they are taken down in reverse.")
    critical: tuple[str, ...] = param(doc="Those whose loss is an emergency stop.")
    heartbeat_timeout_s: float = param(1.0, low=0.2, high=2.0, doc="Silence after which a node counts as lost.")
    start_timeout_s: float = param(30.0, low=1.0, high=600.0, doc="Time that the graph, or a restarted node, may take to come up.")
    estop_cooldown_s: float = param(1.0, low=0.0, high=60.0, doc="Time after a press in which a reset is refused.")

    def __post_init__(self) -> None:
        """Refuse to watch over nobody: what is critical has to be managed."""
        if strangers := set(self.critical) - set(self.managed):
            raise ConfigError(f"critical nodes that are not managed: {', '.join(sorted(strangers))}. Name them in 'managed' too.")


class Supervisor(TactusNode):
    """Loses a critical node: emergency stop. `ready`: all came up, and every critical node is active."""

    Config = SupervisorConfig
    inputs = INPUTS

    def configure(self) -> None:
        """Open what the graph is told by, and told."""
        config = self.config
        self._watch = Watch(config.managed, config.heartbeat_timeout_s, config.start_timeout_s, time.monotonic())
        self._bringup = Bringup(self, config.managed, self._watch)
        self._stop = EmergencyStop(self, config.estop_cooldown_s, self._missing, self._changed)
        self._ready_out = self.publisher(topics.READY)
        self._came_up = self._ending = False
        self.subscribe(topics.HEARTBEAT.deeper(100), self._hear)
        self.every(_LOOK_S, self._look)

    def activate(self) -> None:
        """Announce that nothing is stopped and nothing is ready."""
        self._looked_s = time.monotonic()
        self._stop.tell()
        self._set_ready(False)

    def bring_up(self, stop: StopRequest) -> None:
        """Take all nodes to active, unless `stop` comes first. Raises DeviceError."""
        self._came_up = self._bringup.up(lambda: stop.asked)

    def bring_down(self) -> None:
        """End all nodes in reverse order."""
        self._ending = True
        self._set_ready(False)
        self._bringup.down()

    def _set_ready(self, ready: bool) -> None:
        self._ready = ready
        self._ready_out.publish(Bool(data=ready))
        self.get_logger().info("ready: every critical node is active" if ready else "not ready")

    def _hear(self, message: Heartbeat) -> None:
        if self._watch.hear(message.node, message.born_ns, time.monotonic()):
            self.get_logger().info(f"{message.node} is heard again")

    def _look(self) -> None:
        self.ticks += 1
        now_s = time.monotonic()
        late_s, self._looked_s = now_s - self._looked_s, now_s
        if self._ending:
            return
        if late_s > self.config.heartbeat_timeout_s:
            self._stop.press("the supervisor was held up")
        if late_s < 2.0 * _LOOK_S:  # else heartbeats wait unread: nobody is judged before they are
            for name, why in self._watch.newly_lost(now_s).items():
                self.get_logger().error(f"{name} is lost: {why}")
                if name in self.config.critical:
                    self._stop.press(f"{name} is lost")
        self._bringup.step()
        ready = self._came_up and not self._watch.inactive(self.config.critical)
        if ready is not self._ready:
            self._set_ready(ready)
        self._sum_up()

    def _sum_up(self) -> None:
        away = [f"{name} is {self._watch.stage(name)}" for name in self._watch.inactive(self.config.managed) if self._came_up]
        self.trouble = "; ".join(filter(None, (self._stop.text, *away)))

    def _changed(self) -> None:
        self._sum_up()
        self.tell()

    def _missing(self) -> str:
        missing = self._watch.inactive(self.config.critical)
        return "; ".join(self._watch.problem(name) or f"{name} is {self._watch.stage(name)}" for name in missing)

    def statuses(self) -> list[DiagnosticStatus]:
        """Return the graph's state, then one status per managed node."""
        own = super().statuses()
        if self._stop.text:
            own[0].level = DiagnosticStatus.ERROR
        for name in self.config.managed:
            stage = self._watch.stage(name)
            age = KeyValue(key="heartbeat_age_s", value=f"{self._watch.age_s(name, time.monotonic()):.2f}")
            message = self._watch.problem(name) or str(stage)
            own.append(DiagnosticStatus(level=_LEVELS[stage], name=f"supervisor: {name}", message=message, values=[age]))
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
