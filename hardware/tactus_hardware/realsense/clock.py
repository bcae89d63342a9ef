"""When a frame was captured, on the steady clock (`time.monotonic`), from what librealsense says.

Its stamps are in one of three domains: `global_time`, the camera's clock converted to the wall clock; `system_time`, the wall clock when
the host had the frame; `hardware_clock`, the camera's own, which began at any time. (librealsense, `rs2_timestamp_domain`.)
"""

from collections import deque

from tactus_core.errors import DeviceError

_WINDOW = 90
_LEAP_S = 1.0
_OLDEST_S, _AHEAD_S = 1.0, 0.02


def captured_by_wall_s(stamp_s: float, wall_s: float, now_s: float) -> float:
    """Return when a frame was captured that is stamped by the wall clock, which says wall_s where the steady one says now_s.

    Never later than now. Raises DeviceError for a stamp that is far off: one of the clocks was set.
    """
    age_s = wall_s - stamp_s
    if not -_AHEAD_S <= age_s <= _OLDEST_S:
        raise DeviceError(f"its frames are stamped {age_s:.3f} s before this machine's clock. Was that clock set? It is opened anew.")
    return now_s - max(age_s, 0.0)


class CameraClock:
    """Follows a clock of its own that began at any time: of the last frames, the one that took the shortest way tells the difference.

    So what every frame takes at least is not seen here; `latency_s` is for that.
    """

    def __init__(self) -> None:
        self._ahead_s: deque[float] = deque(maxlen=_WINDOW)

    def captured_s(self, stamp_s: float, now_s: float) -> float:
        """Return when a frame was captured that came now; never later than now. A clock that leaps is followed from where it is."""
        ahead_s = now_s - stamp_s
        if self._ahead_s and abs(ahead_s - min(self._ahead_s)) > _LEAP_S:
            self._ahead_s.clear()
        self._ahead_s.append(ahead_s)
        return min(stamp_s + min(self._ahead_s), now_s)
