"""Work that takes long, in a thread beside a node, whose callbacks go on meanwhile."""

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from tactus_core.errors import TactusError
from tactus_nodes import realtime
from tactus_nodes.lifecycle import ManagedNode

T = TypeVar("T")
_LOOK_S = 0.05
# The interpreter's lock passes from thread to thread after this at the latest: by default, 5 ms, a whole tick would wait.
_SWITCH_S = 0.0005


class Aside:
    """One thread, one thing after another.

    It goes just after the node's own threads, and not last: one that waits for a core with the interpreter's lock in its hand keeps the
    node waiting.
    """

    def __init__(self, node: ManagedNode) -> None:
        sys.setswitchinterval(_SWITCH_S)
        self._thread = node._keep(_close, ThreadPoolExecutor(1, "aside", realtime.go_next))
        self._pending: list[tuple[Future[Any], Callable[[Any], None], Callable[[str], None]]] = []
        node.every(_LOOK_S, self._look)

    def begin(self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[str], None]) -> None:
        """Do `work`; between two callbacks of the node `done` gets what it returned, or `failed` what it raised, in words.

        Whatever it raised: what was offered from outside must not end a node that moves a robot.
        """
        self._pending.append((self._thread.submit(work), done, failed))

    def _look(self) -> None:
        while self._pending and self._pending[0][0].done():
            future, done, failed = self._pending.pop(0)
            error = future.exception()
            if error is None:
                done(future.result())
            else:
                failed(str(error) if isinstance(error, TactusError) else repr(error))


def _close(thread: ThreadPoolExecutor) -> bool:
    thread.shutdown(wait=True, cancel_futures=True)
    return True
