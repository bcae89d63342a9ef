"""Records every topic into an MCAP bag, in a process of its own: neither a slow disk nor a full one can hurt the others."""

import importlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

from tactus_core.config import param
from tactus_core.errors import TactusError
from tactus_nodes import realtime
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.contract import Input
from tactus_nodes.disk import Disk
from tactus_nodes.keeping import Keeping
from tactus_nodes.marks import Marks
from tactus_nodes.process import run
from tactus_nodes.ring import Ring
from tactus_nodes.topics import ANY, Topic

_DISCOVERY_S = 0.2
DEPTH = 4000  # 20 s of what comes 200 times a second: for so long a machine that has nothing to give may keep the recorder waiting
_IMAGES = 400  # of these, which are large


@dataclass(frozen=True, kw_only=True)
class RecorderConfig(NodeConfig):
    """Parameters of the recorder."""

    folder: str = param(doc="Folder of the bag; where it exists, the next free one of its name with _2, _3, ...")
    ring_s: float = param(0.0, low=0.0, high=600.0, doc="Keep the last seconds in memory, for `~/keep` to write; 0: write all as it comes.")
    ring_mb: int = param(
        500, low=1, high=100_000, doc="Memory that those may take, in megabytes; where it is short, fewer seconds are kept."
    )
    queue_messages: int = param(20000, low=100, high=1_000_000, doc="Messages that may wait for the disk; more are dropped, and counted.")


class Recorder(TactusNode):
    """Finds topics as they appear. One thread takes bytes off the wire, ten times a second, another brings them to the disk.

    What a bag says of when a message was received is when it arrived, not when it was read. See also `Marks`.
    """

    Config = RecorderConfig
    inputs = (Input(ANY, "recorded as it comes"),)

    def configure(self) -> None:
        """Look for topics from activation on."""
        self.every(_DISCOVERY_S, self._discover)
        self._marks = Marks(self)
        self._keeping = Keeping(self)

    def activate(self) -> None:
        """Open the bag and subscribe to what is there."""
        realtime.go_last()  # before whoever plans, all the same: what is missed nobody can make good
        self._known: set[str] = {"/parameter_events"}
        self._numbers: dict[str, int] = {}
        folder, say = Path(self.config.folder), self.get_logger().warning
        try:
            if self.config.ring_s:
                self._disk: Disk | Ring = Ring(folder, self.config.ring_s, self.config.ring_mb * 1_000_000, say)
                self._keeping.ring = self._disk
            else:
                self._disk = Disk(folder, self.config.queue_messages, say)
        except OSError as error:
            raise TactusError(f"no bag in {self.config.folder}: {error}. Choose another folder, or make room.") from None
        self._discover()

    def deactivate(self) -> None:
        """Bring what waits to the disk and close the bag."""
        self._keeping.end()
        self._disk.close()
        self.lost = self._disk.lost
        if self.lost:
            self.get_logger().warning(f"{self.lost} messages are not in the bag: {self._disk.dropped}")

    def _discover(self) -> None:
        for name, types in self.get_topic_names_and_types():
            if name in self._known:
                continue
            self._known.add(name)
            try:
                self._record(name, types[0])
            except (TactusError, ImportError, AttributeError) as error:
                self.get_logger().warning(f"{name} is not recorded: {error}")
        self.lost = self._disk.lost
        dropped = sum(self._disk.dropped.values())
        self.trouble = self._disk.failure or (f"{dropped} messages are not in the bag: wire or disk do not keep up" if dropped else "")
        self._keeping.look()

    def _record(self, name: str, type_name: str) -> None:
        package, _, kind = type_name.split("/")
        offers = self.get_publishers_info_by_topic(name)
        if not offers:
            self._known.discard(name)  # only a subscriber so far
            return
        # What all publishers can give, as rosbag2 chooses it.
        qos = [offer.qos_profile for offer in offers]
        topic = Topic(
            name,
            getattr(importlib.import_module(f"{package}.msg"), kind),
            depth=_IMAGES if kind == "Image" else DEPTH,
            reliable=all(q.reliability == ReliabilityPolicy.RELIABLE for q in qos),
            latched=all(q.durability == DurabilityPolicy.TRANSIENT_LOCAL for q in qos),
        )
        self._disk.add_topic(name, type_name, topic.qos, str(offers[0].topic_type_hash))
        subscription = self.subscribe(topic, lambda data: self._take(name, data), raw=True, unhurried=True)
        self.loop.numbered[subscription] = partial(self._number, name)

    def _number(self, name: str, number: int) -> None:
        """Count what is missing on the wire: a publisher numbers its messages. Where several share a topic, nobody can tell."""
        missing = number - self._numbers.get(name, number) - 1
        self._numbers[name] = number
        if missing > 0 and self.count_publishers(name) == 1:
            self._disk.miss(name, missing)

    def _take(self, name: str, data: Any) -> None:
        self._disk.put(name, self.ns_of(self.loop.arrived_s), bytes(data))
        self.ticks += 1

    def statuses(self) -> list[DiagnosticStatus]:
        """Return the node's status, with what each topic has lost."""
        own = super().statuses()
        if self.active:
            own[0].values += [KeyValue(key=f"dropped {name}", value=str(count)) for name, count in self._disk.dropped.items()]
        return own


def main() -> None:
    """Run the node."""
    run(Recorder, "recorder")
