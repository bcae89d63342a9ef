"""What every node of Tactus has: declared parameters, real-time scheduling on request, a heartbeat, diagnostics, timing."""

import json
import os
from dataclasses import dataclass
from typing import Any, ClassVar

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from std_srvs.srv import Trigger

from tactus_core.config import param
from tactus_msgs.msg import Heartbeat
from tactus_nodes import realtime, topics
from tactus_nodes.lifecycle import ManagedNode
from tactus_nodes.params import declare
from tactus_nodes.timing import Samples

HEARTBEAT_S = 0.1
_BEATS_PER_DIAGNOSTICS = 10


@dataclass(frozen=True, kw_only=True)
class NodeConfig:
    """Parameters of every node."""

    realtime: int = param(0, low=0, high=99, doc="SCHED_FIFO priority to ask for; 0: none.")
    nice: int = param(0, low=0, high=19, doc="Niceness: 19 lets everybody else go first.")


class TactusNode(ManagedNode):
    """Subclasses name their parameters (`Config`). ticks, lost: inputs handled since activation, and those that should have been."""

    Config: ClassVar[type[NodeConfig]] = NodeConfig

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.config: Any = declare(self, self.Config)
        os.nice(self.config.nice)
        self.ticks = 0
        self.lost = 0
        self.timing: dict[str, Samples] = {}
        self.counts: dict[str, int] = {}
        self._beats = 0
        self._heartbeat = self.permanent_publisher(topics.HEARTBEAT)
        self._diagnostics = self.permanent_publisher(topics.DIAGNOSTICS)
        self.create_timer(HEARTBEAT_S, self._beat, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self.create_service(Trigger, "~/timing", self._serve_timing)

    def samples(self, name: str) -> Samples:
        """Return the named series of durations, which `~/timing` gives out (with `counts`) and starts anew."""
        return self.timing.setdefault(name, Samples())

    def now_s(self) -> float:
        """Return ROS time [s]: for stamps, never for deadlines."""
        return self.get_clock().now().nanoseconds * 1e-9

    def tell(self) -> None:
        """Publish the diagnostics."""
        message = DiagnosticArray(status=self.statuses())
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)

    def statuses(self) -> list[DiagnosticStatus]:
        """Return what this node has to say of itself."""
        level = DiagnosticStatus.WARN if self.trouble else DiagnosticStatus.OK
        state = "active" if self.active else "not active"
        values = [KeyValue(key=k, value=str(v)) for k, v in {"state": state, "ticks": self.ticks, "lost": self.lost}.items()]
        return [DiagnosticStatus(level=level, name=self.get_name(), message=self.trouble or state, values=values)]

    def _activate(self) -> None:
        if self.config.realtime and (refusal := realtime.request_fifo(self.config.realtime)):
            self.get_logger().warning(refusal)
        realtime.freeze_garbage()
        self.ticks = self.lost = 0
        super()._activate()

    def _beat(self) -> None:
        lateness = self.timing.get("tick_lateness_ms")
        beat = Heartbeat(node=self.get_name(), ticks=self.ticks, lost=self.lost, realtime=realtime.is_fifo())
        beat.header.stamp = self.get_clock().now().to_msg()
        beat.lateness_p99_ms = lateness.recent_p99(200) if lateness else float("nan")
        self._heartbeat.publish(beat)
        self._beats += 1
        if self._beats % _BEATS_PER_DIAGNOSTICS == 0:
            self.tell()

    def _serve_timing(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        report = {name: samples.summary() for name, samples in self.timing.items()}
        fields = {"pid": os.getpid(), "realtime": realtime.is_fifo(), "counts": self.counts, "timing": report}
        response.success, response.message = True, json.dumps(fields)
        for samples in self.timing.values():
            samples.restart()
        self.counts = dict.fromkeys(self.counts, 0)
        return response
