"""What every node of Tactus has: declared parameters and inputs, real-time scheduling on request, a heartbeat, diagnostics, timing."""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.subscription import Subscription
from std_srvs.srv import Trigger

from tactus_core.config import from_mapping, param
from tactus_core.freshness import Stream
from tactus_msgs.msg import Heartbeat
from tactus_nodes import realtime, topics
from tactus_nodes.clocked import ClockedNode
from tactus_nodes.contract import Input, declared
from tactus_nodes.params import declare
from tactus_nodes.timing import Samples
from tactus_nodes.topics import Topic

HEARTBEAT_S = 0.1
_BEATS_PER_DIAGNOSTICS = 10


@dataclass(frozen=True, kw_only=True)
class NodeConfig:
    """Parameters of every node."""

    realtime: int = param(0, low=0, high=99, doc="SCHED_FIFO priority to ask for; 0: none.")
    nice: int = param(0, low=0, high=19, doc="Niceness: 19 lets everybody else go first.")


class TactusNode(ClockedNode):
    """Subclasses name their parameters (`Config`) and `inputs`. ticks, lost: inputs handled since activation, and those not handled.

    streams: how fresh each input is, by the name of its topic.
    """

    Config: ClassVar[type[NodeConfig]] = NodeConfig
    inputs: ClassVar[tuple[Input, ...]] = ()

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.config: Any = declare(self, self.settings)
        if self.config.nice:
            os.nice(self.config.nice)
            realtime.give_way()
        self.streams: dict[str, Stream] = {}
        self.ticks = 0
        self.lost = 0
        self.timing: dict[str, Samples] = {}
        self.counts: dict[str, int] = {}
        self._beats = 0
        self._born_ns = time.monotonic_ns()
        self._heartbeat = self.permanent_publisher(topics.HEARTBEAT)
        self._diagnostics = self.permanent_publisher(topics.DIAGNOSTICS)
        self.create_timer(HEARTBEAT_S, self._beat, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self.create_service(Trigger, "~/timing", self._serve_timing)

    @classmethod
    def settings(cls, parameters: Mapping[str, Any], source: str) -> Any:
        """Return the config that these parameters make; raises ConfigError. `source` names them."""
        return from_mapping(cls.Config, parameters, source)

    @classmethod
    def inputs_of(cls, config: Any) -> tuple[Input, ...]:
        """Return what a node with this config listens to."""
        return cls.inputs

    def samples(self, name: str) -> Samples:
        """Return the named series of durations, which `~/timing` gives out (with `counts`) and starts anew."""
        return self.timing.setdefault(name, Samples())

    def subscribe(self, topic: Topic, callback: Callable[[Any], None], *, raw: bool = False, unhurried: bool = False) -> Subscription:
        """Open a declared input until clean-up; raises ConfigError where `inputs` does not have it.

        unhurried: it wakes nobody, and is read before whatever else wakes the node.
        """
        declaration = declared(self.inputs_of(self.config), topic, self.get_name())
        stream = self.streams.setdefault(declaration.topic.name, declaration.stream(self.config))
        content = declaration.content

        def arrive(message: Any) -> None:
            stream.arrive(self.loop.arrived_s, content(message) if content else None)
            callback(message)

        subscription = super().subscribe(topic, arrive, raw=raw)
        if unhurried:
            self.loop.unhurried.add(subscription)
        return subscription

    def stale(self, *names: Topic) -> str:
        """Say which of these inputs (none named: of all) may not be used now, and why; empty: all may."""
        now_s = time.monotonic()
        complaints = {name: self.streams[name].complaint(now_s) for name in ([topic.name for topic in names] or self.streams)}
        return "; ".join(f"{name}: {complaint}" for name, complaint in complaints.items() if complaint)

    def tell(self) -> None:
        """Publish the diagnostics."""
        message = DiagnosticArray(status=self.statuses())
        message.header.stamp = self.stamp()
        self._diagnostics.publish(message)

    def statuses(self) -> list[DiagnosticStatus]:
        """Return what this node has to say of itself; an input that is too old is trouble."""
        stale = self.stale() if self.active else ""
        trouble = self.trouble or stale
        state = "active" if self.active else "not active"
        ages = {f"age_s {name}": f"{stream.age_s(time.monotonic()):.3f}" for name, stream in self.streams.items()}
        told = {"state": state, "ticks": self.ticks, "lost": self.lost, "stale": stale, **ages}
        values = [KeyValue(key=key, value=str(value)) for key, value in told.items()]
        level = DiagnosticStatus.WARN if trouble else DiagnosticStatus.OK
        return [DiagnosticStatus(level=level, name=self.get_name(), message=trouble or state, values=values)]

    def _activate(self) -> None:
        if self.config.realtime and (refusal := realtime.request_fifo(self.config.realtime)):
            self.get_logger().warning(refusal)
        realtime.freeze_garbage()
        self.ticks = self.lost = 0
        for stream in self.streams.values():
            stream.forget()
        super()._activate()

    def _beat(self) -> None:
        lateness = self.timing.get("tick_lateness_ms")
        beat = Heartbeat(node=self.get_name(), born_ns=self._born_ns, ticks=self.ticks, lost=self.lost, realtime=realtime.is_fifo())
        beat.header.stamp = self.stamp()
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
