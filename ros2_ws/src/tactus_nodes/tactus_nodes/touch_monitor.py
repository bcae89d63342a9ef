"""Watches raw touch: tells contact on an optical touch sensor, and makes a wrench fit for use out of a raw one."""

import json
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import WrenchStamped
from rclpy.publisher import Publisher
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from tactus_core.config import param
from tactus_core.errors import ConfigError, TactusError
from tactus_core.perception.contact import ContactConfig, ContactDetector
from tactus_core.perception.wrench_filter import WrenchEventKind, WrenchFilter, WrenchFilterConfig
from tactus_core.types import Array
from tactus_nodes import convert, convert_seen, topics
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.contract import Input, parameter
from tactus_nodes.process import run
from tactus_nodes.tilt import Tilt

_COUNTS_S = 0.5
_STATES = {None: "waiting", True: "contact", False: "no contact"}


@dataclass(frozen=True, kw_only=True)
class TouchMonitorConfig(ContactConfig, WrenchFilterConfig, NodeConfig):
    """Parameters of the monitor: those of the detector and of the filter."""

    queue: int = param(400, low=1, high=10_000, doc="Samples that may wait: neither frames nor readings may be lost on the way.")
    robot: str = param("", doc="Robot, by its entry point in 'tactus.robots': tells how the tool is tilted; empty: its weight stays in.")
    tool_kg: float = param(0.0, low=0.0, high=50.0, doc="What hangs on the sensor, found by ./tactus calibrate payload. 0: not taken out.")
    tool_center_m: tuple[float, float, float] = param((0.0, 0.0, 0.0), low=-1.0, high=1.0, doc="Its centre of mass, in the tcp frame.")
    state_timeout_s: float = param(0.05, low=0.005, high=1.0, doc="Age at which it is unknown how the tool is tilted.")

    def __post_init__(self) -> None:
        """Refuse a weight whose direction nobody knows."""
        if self.tool_kg and not self.robot:
            raise ConfigError(f"tool_kg is {self.tool_kg}, and there is no robot that tells how the tool is tilted. Set robot.")

    def part(self, cls: Any) -> Any:
        """Return the parameters of one part."""
        return cls(**{f.name: getattr(self, f.name) for f in fields(cls)})


class TouchMonitor(TactusNode):
    """`optical_touch/contact`: a status per frame. `wrench/events`: what was left out of `wrench` and why, as it happens, and counts."""

    Config = TouchMonitorConfig
    inputs = (
        Input(topics.TOUCH_IMAGE, "judged as it comes: silence is no contact and no release"),
        Input(topics.JOINT_STATES, "without the tool's weight taken out no wrench is passed on", parameter("state_timeout_s")),
        Input(topics.WRENCH_RAW, "filtered as it comes: nothing is made up in a gap, and who reads `wrench` judges its age"),
    )

    @classmethod
    def inputs_of(cls, config: Any) -> tuple[Input, ...]:
        """See `TactusNode`."""
        return tuple(declaration for declaration in cls.inputs if config.tool_kg or declaration.topic is not topics.JOINT_STATES)

    def configure(self) -> None:
        """Open the topics."""
        self._tilt = Tilt(self) if self.config.tool_kg else None
        self._contact_out, self._events_out = self.publisher(topics.CONTACT), self.publisher(topics.WRENCH_EVENTS)
        self._wrench_out: Publisher | None = None  # opened for the first raw reading: a sensor has one publisher
        self._message = WrenchStamped()
        self.subscribe(topics.TOUCH_IMAGE.deeper(self.config.queue), self._see)
        self.subscribe(topics.WRENCH_RAW.deeper(self.config.queue), self._feel)
        self.every(_COUNTS_S, self._tell_counts)

    def activate(self) -> None:
        """Start without a reference and without a bias: nothing touches the sensors now."""
        self._detector = ContactDetector(self.config.part(ContactConfig))
        self._filter = WrenchFilter(self.config.part(WrenchFilterConfig))

    def deactivate(self) -> None:
        """Tell the final counts."""
        self._tell_counts()

    def _see(self, message: Image) -> None:
        try:
            contact = self._detector.step(convert_seen.image(message))
        except TactusError as error:
            self.trouble = str(error)
            return
        self.ticks += 1
        x_px, y_px = contact.centroid_px
        values = {"changed": contact.changed, "area_px": contact.area_px, "x_px": x_px, "y_px": y_px}
        self._contact_out.publish(_status(message.header, "optical_touch", _STATES[contact.touching], values))

    def _feel(self, message: WrenchStamped) -> None:
        if self._wrench_out is None:
            self._wrench_out = self.publisher(topics.WRENCH)
        force, torque = message.wrench.force, message.wrench.torque
        record = np.array([force.x, force.y, force.z, torque.x, torque.y, torque.z])
        # NaN in all of a torque says that it is not measured.
        passed, events = self._filter.step(convert.seconds(message.header.stamp), record[:3] if np.isnan(record[3:]).all() else record)
        self.ticks += 1
        self.lost = sum(self._filter.counts[name] for name in ("out_of_range", "late"))
        self.trouble = "" if self._filter.bias is not None else "no bias yet: the force sensor has to be still and unloaded"
        for event in events:
            header = Header(stamp=convert.to_stamp(event.stamp_s), frame_id=message.header.frame_id)
            values = {"value": event.value.tolist(), "excess": event.excess}
            self._events_out.publish(_status(header, "wrench", str(event.kind), values))
        value = None if passed is None else passed.value
        if self._tilt is not None:
            try:
                value = self._tilt.lighter(value, any(event.kind is WrenchEventKind.BIAS for event in events))
            except TactusError as error:
                self.trouble = str(error)
                return
        if passed is not None:
            self._publish(self._wrench_out, passed.stamp_s, value, message.header.frame_id)

    def _publish(self, out: Publisher, stamp_s: float, value: Array, frame: str) -> None:
        self._message.header.stamp, self._message.header.frame_id = convert.to_stamp(stamp_s), frame
        convert.put_wrench(np.concatenate([value, np.full(6 - len(value), np.nan)]), self._message)
        out.publish(self._message)

    def _tell_counts(self) -> None:
        if self._filter.counts["records"]:
            header = Header(stamp=self.stamp())
            self._events_out.publish(_status(header, "wrench", "counts", self._filter.counts))


def _status(header: Header, name: str, text: str, values: dict[str, Any]) -> DiagnosticArray:
    pairs = [KeyValue(key=key, value=json.dumps(value)) for key, value in values.items()]
    return DiagnosticArray(header=header, status=[DiagnosticStatus(level=DiagnosticStatus.OK, name=name, message=text, values=pairs)])


def main() -> None:
    """Run the node."""
    run(TouchMonitor, "touch_monitor")
