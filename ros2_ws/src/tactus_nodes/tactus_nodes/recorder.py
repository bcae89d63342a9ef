"""Records every topic into an MCAP bag, in a process of its own: neither a slow disk nor a full one can hurt the others."""

import importlib
import queue
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

from tactus_core.config import param
from tactus_core.errors import TactusError
from tactus_nodes.bag import BagWriter
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.contract import Input
from tactus_nodes.process import run
from tactus_nodes.topics import ANY, Topic

_DISCOVERY_S = 0.2
_DEPTH = 400
_HIDDEN = ("/parameter_events",)


@dataclass(frozen=True, kw_only=True)
class RecorderConfig(NodeConfig):
    """Parameters of the recorder."""

    folder: str = param(doc="Folder of the bag; it must not exist yet.")
    queue_messages: int = param(20000, low=100, high=1_000_000, doc="Messages that may wait for the disk; more are dropped, and counted.")


class Recorder(TactusNode):
    """Finds topics as they appear. One thread takes bytes off the wire, another brings them to the disk."""

    Config = RecorderConfig
    inputs = (Input(ANY, "recorded as it comes"),)

    def configure(self) -> None:
        """Look for topics from activation on."""
        self.every(_DISCOVERY_S, self._discover)

    def activate(self) -> None:
        """Open the bag and subscribe to what is there."""
        self._known: set[str] = set(_HIDDEN)
        self._failure = ""
        try:
            self._bag = BagWriter(Path(self.config.folder))
        except OSError as error:
            raise TactusError(f"no bag in {self.config.folder}: {error}. Choose another folder, or make room.") from None
        self._queue: queue.Queue[tuple[str, int, bytes] | None] = queue.Queue(self.config.queue_messages)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._drain, name="disk", daemon=True)
        self._thread.start()
        self._discover()

    def deactivate(self) -> None:
        """Bring what waits to the disk and close the bag."""
        self._queue.put(None)
        self._thread.join()
        if self.lost:
            self.get_logger().warning(f"{self.lost} messages were dropped: the disk did not keep up")

    def _discover(self) -> None:
        for name, types in self.get_topic_names_and_types():
            if name in self._known:
                continue
            self._known.add(name)
            try:
                self._record(name, types[0])
            except (TactusError, ImportError, AttributeError) as error:
                self.get_logger().warning(f"{name} is not recorded: {error}")

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
            depth=_DEPTH,
            reliable=all(q.reliability == ReliabilityPolicy.RELIABLE for q in qos),
            latched=all(q.durability == DurabilityPolicy.TRANSIENT_LOCAL for q in qos),
        )
        with self._lock:
            self._bag.add_topic(name, type_name, topic.qos, str(offers[0].topic_type_hash))
        self.subscribe(topic, lambda data: self._take(name, data), raw=True)

    def _take(self, name: str, data: Any) -> None:
        try:
            self._queue.put_nowait((name, self.now_ns(), bytes(data)))
        except queue.Full:
            self.lost += 1
        self.ticks += 1
        self.trouble = self._failure or (f"{self.lost} messages dropped: the disk does not keep up" if self.lost else "")

    def _drain(self) -> None:
        while (item := self._queue.get()) is not None:
            self._attempt(self._bag.write, *item)
        self._attempt(self._bag.close)

    def _attempt(self, work: Any, *arguments: Any) -> None:
        if self._failure:
            return
        try:
            with self._lock:
                work(*arguments)
        except OSError as error:
            self._failure = f"recording to {self.config.folder} ended: {error}. The graph goes on without it; make room, then start again."
            self.get_logger().error(self._failure)


def main() -> None:
    """Run the node."""
    run(Recorder, "recorder")
