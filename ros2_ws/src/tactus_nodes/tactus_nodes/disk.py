"""A thread that brings messages to the disk: whoever gives them never waits for it."""

import itertools
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rclpy.qos import QoSProfile

from tactus_nodes.bag import BagWriter

_ANEW_S = 2.0
Message = tuple[str, int, bytes]  # topic, when it was received [ns], what was on the wire


class Disk:
    """Writes a bag. Where the disk refuses, that bag ends, and another begins as soon as there is room; what comes in between is lost.

    failure: why nothing is written now, "" where something is. folder: of the newest bag.
    """

    def __init__(self, folder: Path, queue_messages: int, say: Callable[[str], Any]) -> None:
        """Open `folder`, or the next free name; raises OSError. say: hears what a person should know, in the disk's thread."""
        self.failure = ""
        # By topic: the first by those who put, the others by the thread.
        self._refused, self._unwritten, self._lost_before = Counter[str](), Counter[str](), Counter[str]()
        self._wanted, self._say = folder, say
        self._queue: queue.Queue[Sequence[Message] | None] = queue.Queue(queue_messages)
        self._topics: list[tuple[str, str, QoSProfile, str]] = []
        self._lock = threading.Lock()
        self._anew_s = 0.0
        self._bag: BagWriter | None = self._opened()
        self.folder = self._bag.folder
        self._thread = threading.Thread(target=self._drain, name="disk", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """How many messages were not written."""
        return self._lost.total()

    @property
    def dropped(self) -> dict[str, int]:
        """How many messages of each topic the present bag lacks."""
        return {name: count for name, count in (self._lost - self._lost_before).items() if count}

    @property
    def _lost(self) -> Counter[str]:
        return Counter({name: self._refused[name] + self._unwritten[name] for name in {*self._refused, *self._unwritten}})

    def add_topic(self, name: str, type_name: str, qos: QoSProfile, type_hash: str) -> None:
        """Declare a topic of this bag and of those that follow; once each."""
        with self._lock:
            if self._bag is not None:
                self._bag.add_topic(name, type_name, qos, type_hash)
            self._topics.append((name, type_name, qos, type_hash))

    def put(self, name: str, received_ns: int, data: bytes) -> None:
        """Take a message; where too many wait already, it is lost."""
        try:
            self._queue.put_nowait(((name, received_ns, data),))
        except queue.Full:
            self._refused[name] += 1

    def put_all(self, messages: Sequence[Message]) -> None:
        """Take many messages at once, into a queue that is empty."""
        self._queue.put_nowait(messages)

    def miss(self, name: str, count: int) -> None:
        """Note that so many messages of a topic were lost before they came here."""
        self._refused[name] += count

    def close(self) -> None:
        """Bring what waits to the disk and close the bag."""
        self.end()
        self.join()

    def end(self) -> None:
        """Let the bag be closed once all that waits is on the disk."""
        self._queue.put(None)

    def join(self) -> None:
        """Wait until the bag is closed."""
        self._thread.join()

    @property
    def done(self) -> bool:
        """Whether the bag is closed."""
        return not self._thread.is_alive()

    def _opened(self) -> BagWriter:
        folder = free_folder(self._wanted)
        if folder != self._wanted:
            self._say(f"{self._wanted} exists already, and a bag is never overwritten: recording into {folder}")
        return BagWriter(folder)

    def _drain(self) -> None:
        while (messages := self._queue.get()) is not None:
            for message in messages:
                self._write(message)
        try:
            if self._bag is not None:
                self._bag.close(self.dropped)
        except OSError as error:
            self._end(error)

    def _write(self, message: Message) -> None:
        try:
            if self._bag is None and time.monotonic() >= self._anew_s:
                self._begin_anew()
            with self._lock:
                if self._bag is not None:
                    self._bag.write(*message)
                    return
        except OSError as error:
            self._anew_s = time.monotonic() + _ANEW_S
            self._end(error)
        self._unwritten[message[0]] += 1

    def _begin_anew(self) -> None:
        bag = self._opened()
        with self._lock:
            for topic in self._topics:
                bag.add_topic(*topic)
            self._bag, self.failure, self._lost_before, self.folder = bag, "", self._lost, bag.folder
        self._say(f"recording goes on in {bag.folder}; {self.lost} messages were lost in all")

    def _end(self, error: OSError) -> None:
        said = f"recording to {self._wanted} ended: {error}. The graph goes on without it; a new bag begins when there is room."
        if not self.failure:
            self._say(said)
        self.failure = said
        with self._lock:
            if self._bag is not None:
                self._bag.abandon()
            self._bag = None


def free_folder(folder: Path) -> Path:
    """Return `folder` where it does not exist, else the first of folder_2, folder_3, ... that does not: a bag is never overwritten."""
    numbered = (folder.with_name(f"{folder.name}_{number}") for number in itertools.count(2))
    return next(path for path in itertools.chain([folder], numbered) if not path.exists())
