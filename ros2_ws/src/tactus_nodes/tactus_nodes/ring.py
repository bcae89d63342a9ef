"""The last seconds of every topic, in memory: written only when somebody asks for them."""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rclpy.qos import QoSProfile

from tactus_nodes.disk import Disk, Message


class Ring:
    """Stands in the place of a `Disk`. Holds no message longer than `span_s`, and never more than `most_bytes` of them.

    say: hears what a person should know.
    """

    failure = ""

    def __init__(self, folder: Path, span_s: float, most_bytes: int, say: Callable[[str], Any]) -> None:
        self._folder, self._span_ns, self._most_bytes, self._say = folder, round(span_s * 1e9), most_bytes, say
        self._topics: list[tuple[str, str, QoSProfile, str]] = []
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._disk: Disk | None = None
        self.dropped: dict[str, int] = {}

    def add_topic(self, name: str, type_name: str, qos: QoSProfile, type_hash: str) -> None:
        """Declare a topic; once each."""
        self._topics.append((name, type_name, qos, type_hash))

    def put(self, name: str, received_ns: int, data: bytes) -> None:
        """Take a message, and forget the oldest."""
        self._messages.append((name, received_ns, data))
        self._bytes += len(data)
        while self._messages[0][1] < received_ns - self._span_ns or self._bytes > self._most_bytes:
            self._bytes -= len(self._messages.popleft()[2])

    def miss(self, name: str, count: int) -> None:
        """Note that so many messages of a topic were lost before they came here; see `dropped`."""
        self.dropped[name] = self.dropped.get(name, 0) + count

    def keep(self) -> Disk:
        """Begin to write what is in memory into a bag of its own, while more is taken in; `Disk.done` says when it is written.

        Raises OSError where no bag can be opened.
        """
        disk = Disk(self._folder, 2, self._say)  # what there is, and the end
        for topic in self._topics:
            disk.add_topic(*topic)
        disk.put_all(tuple(self._messages))
        for name, count in self.dropped.items():
            disk.miss(name, count)
        disk.end()
        self._disk = disk
        return disk

    @property
    def lost(self) -> int:
        """How many messages were lost."""
        return sum(self.dropped.values())

    @property
    def span_s(self) -> float:
        """How much time lies between the oldest and the newest message."""
        return (self._messages[-1][1] - self._messages[0][1]) * 1e-9 if self._messages else 0.0

    def close(self) -> None:
        """Wait until what was asked for is written."""
        if self._disk is not None:
            self._disk.join()
