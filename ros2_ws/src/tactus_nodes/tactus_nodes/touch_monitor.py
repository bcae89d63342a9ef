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
from tactus_core.errors import TactusError
from tactus_core.perception.contact import ContactConfig, ContactDetector
from tactus_core.perception.wrench_filter import WrenchFilter, WrenchFilterConfig
from tactus_core.types import Array
from tactus_nodes import convert, topics
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.contract import Input
from tactus_nodes.process import run

_COUNTS_S = 0.5
_STATES = {None: "waiting", True: "contact", False: "no contact"}


@dataclass(frozen=True, kw_only=True)
class TouchMonitorConfig(ContactConfig, WrenchFilterConfig, NodeConfig):
    """Parameters of the monitor: those of the detector and of the filter."""

    queue: int = param(400, low=1, high=10_000, doc="Samples that may wait: neither frames nor readings may be lost on the way.")

    def part(self, cls: Any) -> Any:
        """Return the parameters of one part."""
        return cls(**{f.name: getattr(self, f.name) for f in fields(cls)})


class TouchMonitor(TactusNode):
    """`optical_touch/contact`: a status per frame. `wrench/events`: what was left out of `wrench` and why, as it happens, and counts."""

    Config = TouchMonitorConfig
    inputs = (
        Input(topics.TOUCH_IMAGE, "judged as it comes: silence is no contact and no release"),
        Input(topics.WRENCH_RAW, "filtered as it comes: nothing is made up in a gap, and who reads `wrench` judges its age"),
    )

    def configure(self) -> None:
        """Open the topics."""
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
            contact = self._detector.step(convert.image(message))
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
        if passed is not None:
            self._publish(self._wrench_out, passed.stamp_s, passed.value, message.header.frame_id)

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
