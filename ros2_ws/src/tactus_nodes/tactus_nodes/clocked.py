"""A managed node's time: stamps that no setting of the wall clock changes."""

import time

from builtin_interfaces.msg import Time

from tactus_nodes.lifecycle import ManagedNode
from tactus_nodes.timing import epoch_ns


class ClockedNode(ManagedNode):
    """Stamps are for messages, never for deadlines."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._epoch_ns = epoch_ns()

    def now_ns(self) -> int:
        """Return the time for stamps, never for deadlines [ns]: the wall clock's at the start, and steady since, or ROS' simulated time.

        A wall clock that is set while the graph runs changes no stamp.
        """
        clock = self.get_clock()
        return clock.now().nanoseconds if clock.ros_time_is_active else self._epoch_ns + time.monotonic_ns()

    def now_s(self) -> float:
        """Return `now_ns` in seconds."""
        return self.now_ns() * 1e-9

    def stamp(self) -> Time:
        """Return `now_ns` as a stamp."""
        return _time(self.now_ns())

    def stamp_of(self, steady_s: float) -> Time:
        """Return a time of the steady clock (`time.monotonic`), such as a driver's, as a stamp."""
        return _time(self.ns_of(steady_s))

    def ns_of(self, steady_s: float) -> int:
        """Return the same [ns]."""
        if self.get_clock().ros_time_is_active:
            return self.now_ns() - round((time.monotonic() - steady_s) * 1e9)
        return self._epoch_ns + round(steady_s * 1e9)


def _time(ns: int) -> Time:
    sec, nanosec = divmod(ns, 1_000_000_000)
    return Time(sec=sec, nanosec=nanosec)
