"""What is done with an executor from outside: reading what wakes nobody, and waiting."""

import time
from collections.abc import Callable
from typing import Any

from rclpy.executors import Executor


def read_latest(subscription: Any) -> Any | None:
    """Return the newest message that has arrived on a polled subscription since it was last read, or None. Reading runs its callback."""
    taken = subscription.handle.take_message(subscription.msg_type, False)
    if taken is None:
        return None
    subscription.callback(taken[0])
    return taken[0]


def keep_latest(subscription: Any) -> Callable[[], Any]:
    """Return what reads the newest message that has ever arrived on a polled subscription; before the first, an empty one."""
    heard = [subscription.msg_type()]

    def read() -> Any:
        heard[0] = read_latest(subscription) or heard[0]
        return heard[0]

    return read


def spin_until(executor: Executor, done: Callable[[], bool], timeout_s: float) -> bool:
    """Run callbacks until `done()`; return False where that has not come within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not done():
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        executor.spin_once(min(left, 0.1))
    return True
