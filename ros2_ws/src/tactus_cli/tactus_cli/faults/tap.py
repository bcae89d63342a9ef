"""A process between the publishers and the subscribers of the tapped streams: `python -m tactus_cli.faults.tap`.

It relays bytes as they are, alters what it is told to, and keeps what the trials are judged by. Its orders come over a connection that it
inherits; it ends when that does. One argument, JSON: `connection` (file descriptor), `robot`, `realtime` (SCHED_FIFO priority; 0: none).
"""

import json
import os
import random
import sys
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

import rclpy
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.publisher import Publisher

from tactus_cli.faults.alterations import ALTERATIONS, Alteration
from tactus_cli.faults.human import Human
from tactus_cli.faults.records import KEPT, TAPPED, Record, pack, tapped
from tactus_nodes import realtime, topics
from tactus_nodes.executor import LeanExecutor
from tactus_nodes.plugins import find_robot
from tactus_nodes.topics import Topic

_QUEUE = 400  # two seconds of the fastest stream, for a moment in which the tap does not run


class Relay:
    """One tapped stream. `alteration`: what happens to its messages; None: nothing. `stranger`: what it adds is of a second publisher."""

    def __init__(self, node: Node, stranger: Node, topic: Topic) -> None:
        self._other = stranger
        self.topic = topic
        self._out = self._publisher(node)
        self._second: Publisher | None = None
        self.alteration: Alteration | None = None
        self.stranger = False

    def pass_on(self, data: bytes) -> None:
        """Publish what becomes of one message."""
        alteration = self.alteration
        if self.stranger and self._second is None:
            self._second = self._publisher(self._other)
        elif self._second is not None and not self.stranger:
            self._other.destroy_publisher(self._second)
            self._second = None
        for i, message in enumerate((data,) if alteration is None else alteration(data)):
            (self._second if i and self._second is not None else self._out).publish(message)

    def _publisher(self, node: Node) -> Publisher:
        events = PublisherEventCallbacks(use_default_callbacks=False)
        return node.create_publisher(self.topic.type, self.topic.name, self.topic.qos, event_callbacks=events)


class Tap:
    """Relays and keeps; `serve` obeys orders, in a thread of its own."""

    def __init__(self, node: Node, stranger: Node, robot: str) -> None:
        self._records: list[Record] = []
        self._human = Human(node, find_robot(robot))
        self._relays = {topic.name: Relay(node, stranger, topic) for group in TAPPED.values() for topic in group}
        events = SubscriptionEventCallbacks(use_default_callbacks=False)

        def listen(topic: Topic, name: str, callback: Any) -> None:
            node.create_subscription(topic.type, name, callback, topic.deeper(_QUEUE).qos, event_callbacks=events, raw=True)

        for relay in self._relays.values():
            listen(relay.topic, tapped(relay.topic), lambda data, relay=relay: self._relay(relay, bytes(data)))
        for name, topic in KEPT.items():
            if name == topic.name:
                listen(topic, name, lambda data, name=name: self._keep(name, bytes(data)))

    def _relay(self, relay: Relay, data: bytes) -> None:
        relay.pass_on(data)
        name = tapped(relay.topic)
        if name in KEPT:
            self._keep(name, data)
        if relay.topic is topics.JOINT_STATES:
            self._human.feel(data)

    def _keep(self, name: str, data: bytes) -> None:
        self._records.append((name, time.monotonic(), data))

    def serve(self, connection: Connection) -> None:
        """Obey until the other end is closed, then end the process."""
        try:
            while True:
                connection.send_bytes(self._obey(**json.loads(connection.recv_bytes())))
        except (EOFError, OSError):
            os._exit(0)

    def _obey(self, order: str, **arguments: Any) -> bytes:
        """Return the answer: the records, or the steady time at which the order took effect."""
        if order == "records":
            # One assignment, so that no record falls between the two lists.
            records, self._records = self._records, []
            return pack(records)
        if order == "alter":
            draw = random.Random(arguments["seed"])
            for name, kind in arguments["streams"]:
                relay = self._relays[name]
                relay.alteration, relay.stranger = ALTERATIONS[kind](relay.topic.type, draw), kind == "garbage"
        elif order == "clear":
            for relay in self._relays.values():
                relay.alteration, relay.stranger = None, False
        elif order == "human":
            self._human.mode = arguments["mode"]
        return json.dumps(time.monotonic()).encode()


def main() -> None:
    """Run until the connection ends."""
    options = json.loads(sys.argv[1])
    rclpy.init(args=[])
    node = rclpy.create_node("tactus_tap", start_parameter_services=False, enable_rosout=False)
    stranger = rclpy.create_node("tactus_stranger", start_parameter_services=False, enable_rosout=False)
    tap = Tap(node, stranger, options["robot"])
    loop = LeanExecutor(node)
    if options["realtime"]:
        realtime.request_fifo(options["realtime"])
    realtime.freeze_garbage()
    connection = Connection(options["connection"])
    connection.send_bytes(b"ready")
    threading.Thread(target=tap.serve, args=(connection,), daemon=True).start()
    while True:
        loop.spin_once(0.1)


if __name__ == "__main__":
    main()
