"""What every node of Tactus has: managed lifecycle, declared parameters, a heartbeat, diagnostics, timing, and a clean end."""

import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.publisher import Publisher
from rclpy.signals import SignalHandlerOptions
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from std_srvs.srv import Trigger

from tactus_core.config import param
from tactus_core.errors import TactusError
from tactus_msgs.msg import Heartbeat
from tactus_nodes import realtime, topics
from tactus_nodes.executor import LeanExecutor
from tactus_nodes.params import declare
from tactus_nodes.stop import StopRequest
from tactus_nodes.timing import Samples
from tactus_nodes.topics import Topic

HEARTBEAT_S = 0.1
_BEATS_PER_DIAGNOSTICS = 10


@dataclass(frozen=True, kw_only=True)
class NodeConfig:
    """Parameters of every node."""

    realtime: int = param(0, low=0, high=99, doc="SCHED_FIFO priority to ask for; 0: none.")
    nice: int = param(0, low=0, high=19, doc="Niceness: 19 lets everybody else go first.")


class TactusNode(LifecycleNode):
    """A managed node. Subclasses name their parameters (`Config`) and override `configure`, `activate`, `deactivate`."""

    Config: ClassVar[type[NodeConfig]] = NodeConfig

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.config: Any = declare(self, self.Config)
        os.nice(self.config.nice)
        self.loop = LeanExecutor(self)
        self.active = False
        self.ended = False
        # Why the node cannot do its work at the moment; empty: all is well. Shown in its diagnostics.
        self.trouble = ""
        self.ticks = 0
        self.lost = 0
        self.timing: dict[str, Samples] = {}
        self.counts: dict[str, int] = {}
        self._made: list[tuple[Callable[[Any], bool], Any]] = []
        self._beats = 0
        self._heartbeat = self._publisher(topics.HEARTBEAT)
        self._diagnostics = self._publisher(topics.DIAGNOSTICS)
        self.create_timer(HEARTBEAT_S, self._beat, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self.create_service(Trigger, "~/timing", self._serve_timing)

    def configure(self) -> None:
        """Load what is needed and open topics, by `publisher`, `subscribe`, `serve` and `every`. Raises TactusError."""

    def activate(self) -> None:
        """Start working."""

    def deactivate(self) -> None:
        """Stop working; take the safe action first."""

    def publisher(self, topic: Topic) -> Publisher:
        """Open a publisher until clean-up."""
        return self._keep(self.destroy_publisher, self._publisher(topic))

    def subscribe(self, topic: Topic, callback: Callable[[Any], None], *, raw: bool = False) -> Subscription:
        """Open a subscription until clean-up; its callback runs while the node is active."""

        def when_active(message: Any) -> None:
            if self.active:
                callback(message)

        events = SubscriptionEventCallbacks(use_default_callbacks=False)
        made = self.create_subscription(topic.type, topic.name, when_active, topic.qos, event_callbacks=events, raw=raw)
        return self._keep(self.destroy_subscription, made)

    def poll(self, topic: Topic) -> Subscription:
        """Open a subscription that wakes nobody; `tactus_nodes.executor.read_latest` reads it."""
        made = self.subscribe(topic, lambda message: None)
        self.loop.polled.add(made)
        return made

    def serve(self, kind: type, name: str, callback: Callable[[Any, Any], Any]) -> None:
        """Offer a service until clean-up."""
        self._keep(self.destroy_service, self.create_service(kind, name, callback))

    def every(self, period_s: float, callback: Callable[[], None]) -> Timer:
        """Call back on the steady clock, without drift, while the node is active."""

        def when_active() -> None:
            if self.active:
                callback()

        return self._keep(self.destroy_timer, self.create_timer(period_s, when_active, clock=Clock(clock_type=ClockType.STEADY_TIME)))

    def samples(self, name: str) -> Samples:
        """Return the named series of durations, which `~/timing` gives out (with `counts`) and starts anew."""
        return self.timing.setdefault(name, Samples())

    def now_s(self) -> float:
        """Return ROS time [s]: for stamps, never for deadlines."""
        return self.get_clock().now().nanoseconds * 1e-9

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See rclpy."""
        return self._transition(self.configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See rclpy."""
        return self._transition(self._activate)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See rclpy."""
        return self._transition(self._deactivate)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See rclpy."""
        return self._transition(self._cleanup)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See rclpy."""
        return self._transition(self._shutdown)

    def _activate(self) -> None:
        if self.config.realtime and (refusal := realtime.request_fifo(self.config.realtime)):
            self.get_logger().warning(refusal)
        realtime.freeze_garbage()
        self.ticks = self.lost = 0
        self.activate()
        self.active = True

    def _deactivate(self) -> None:
        if self.active:
            self.active = False
            self.deactivate()

    def _cleanup(self) -> None:
        self.loop.polled.clear()
        while self._made:
            destroy, entity = self._made.pop()
            destroy(entity)

    def _shutdown(self) -> None:
        self._deactivate()
        self._cleanup()
        self.ended = True

    def _transition(self, work: Callable[[], None]) -> TransitionCallbackReturn:
        # rclpy swallows exceptions of transitions; here they are told, and what was opened half-way is closed again.
        try:
            work()
        except Exception as error:
            self.trouble = str(error) if isinstance(error, TactusError) else traceback.format_exc()
            self.get_logger().error(self.trouble)
            self._tell()  # before the answer to the transition, so that who asked for it knows why
            self._cleanup()
            return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS

    def _publisher(self, topic: Topic) -> Publisher:
        return self.create_publisher(
            topic.type, topic.name, topic.qos, event_callbacks=PublisherEventCallbacks(use_default_callbacks=False)
        )

    def _keep(self, destroy: Callable[[Any], bool], entity: Any) -> Any:
        self._made.append((destroy, entity))
        return entity

    def _beat(self) -> None:
        lateness = self.timing.get("tick_lateness_ms")
        beat = Heartbeat(node=self.get_name(), ticks=self.ticks, lost=self.lost, realtime=realtime.is_fifo())
        beat.header.stamp = self.get_clock().now().to_msg()
        beat.lateness_p99_ms = lateness.recent_p99(200) if lateness else float("nan")
        self._heartbeat.publish(beat)
        self._beats += 1
        if self._beats % _BEATS_PER_DIAGNOSTICS == 0:
            self._tell()

    def _tell(self) -> None:
        message = DiagnosticArray(status=self.statuses())
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)

    def statuses(self) -> list[DiagnosticStatus]:
        """Return what this node has to say of itself."""
        level = DiagnosticStatus.WARN if self.trouble else DiagnosticStatus.OK
        state = "active" if self.active else "not active"
        values = [KeyValue(key=k, value=str(v)) for k, v in {"state": state, "ticks": self.ticks, "lost": self.lost}.items()]
        return [DiagnosticStatus(level=level, name=self.get_name(), message=self.trouble or state, values=values)]

    def _serve_timing(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        report = {name: samples.summary() for name, samples in self.timing.items()}
        fields = {"pid": os.getpid(), "realtime": realtime.is_fifo(), "counts": self.counts, "timing": report}
        response.success, response.message = True, json.dumps(fields)
        for samples in self.timing.values():
            samples.restart()
        self.counts = dict.fromkeys(self.counts, 0)
        return response


def run(node_class: Callable[[], TactusNode]) -> None:
    """Run a node's process until it is shut down or interrupted; exits 0 then, and 1 where it could not start."""
    stop = StopRequest()
    rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = node_class()
    except TactusError as error:
        rclpy.shutdown()
        sys.exit(f"error: {error}")
    while not (node.ended or stop.due()):
        node.loop.spin_once(HEARTBEAT_S)
    if not node.ended:
        node.trigger_shutdown()
    finish(node, 0)


def finish(node: TactusNode, code: int) -> NoReturn:
    """Leave the graph and end the process.

    Nothing is left to be done then, and the interpreter's own clean-up of the libraries below takes long on a busy machine.
    """
    node.loop.shutdown()
    node.destroy_node()
    rclpy.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
