"""The recorder's service `~/keep`: brings what is in its memory into a bag of its own."""

import time
from dataclasses import dataclass

from rclpy.task import Future
from std_srvs.srv import Trigger

from tactus_nodes.base import TactusNode
from tactus_nodes.disk import Disk
from tactus_nodes.ring import Ring

# What an episode came to shows for half a second after somebody has said it (`tactus_core/learning/labels.py`), and a camera's last image
# of that comes later still.
_SETTLE_S = 0.8


@dataclass
class _Asked:
    due_s: float
    answer: Future
    response: Trigger.Response
    disk: Disk | None = None


class Keeping:
    """Of a node that calls `look` now and then. ring: what is kept; None: nothing is kept in memory."""

    def __init__(self, node: TactusNode) -> None:
        self.ring: Ring | None = None
        self._node = node
        self._asked: _Asked | None = None
        node.serve(Trigger, "~/keep", self._serve)

    def _serve(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response | Future:
        """Answer once the bag is written, with its folder; whoever asks meanwhile gets the same answer."""
        if self.ring is None:
            response.message = "nothing is kept in memory: set ring_s" if self._node.active else "the recorder is not active"
            return response
        self._asked = self._asked or _Asked(time.monotonic() + _SETTLE_S, Future(), response)
        return self._asked.answer

    def look(self) -> None:
        """Begin to write what was asked for a moment ago, and answer where it is written."""
        if self._asked is not None and time.monotonic() >= self._asked.due_s:
            self._begin(self._asked)
        if self._asked is not None and self._asked.disk is not None and self._asked.disk.done:
            disk = self._asked.disk
            self._say(self._asked, not disk.failure, disk.failure or str(disk.folder))

    def end(self) -> None:
        """Write what was asked for, and wait until it is; nothing is kept from here on."""
        if self._asked is not None:
            self._begin(self._asked)
        if self.ring is not None:
            self.ring.close()
        self.look()
        self.ring = None

    def _begin(self, asked: _Asked) -> None:
        if asked.disk is not None or self.ring is None:
            return
        try:
            asked.disk = self.ring.keep()
        except OSError as error:
            self._say(asked, False, f"no bag in {self._node.config.folder}: {error}. Make room.")

    def _say(self, asked: _Asked, success: bool, message: str) -> None:
        self._asked = None
        asked.response.success, asked.response.message = success, message
        asked.answer.set_result(asked.response)
