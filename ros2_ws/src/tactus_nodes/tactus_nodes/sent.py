"""Where the guard sends the robot, for those who are to take it from there."""

from tactus_core.errors import DataError
from tactus_core.types import Array
from tactus_msgs.msg import Verdict
from tactus_nodes import convert, topics
from tactus_nodes.base import TactusNode
from tactus_nodes.spinning import read_latest


class SentPose:
    """Reads the guard's verdicts when it is asked to, and wakes nobody in between."""

    def __init__(self, node: TactusNode, max_age_s: float) -> None:
        self._verdicts_in = node.poll(topics.VERDICT)
        self._stream, self._max_age_s, self._verdict = node.streams[topics.VERDICT.name], max_age_s, Verdict()

    def read(self, now_s: float) -> Array | None:
        """Return T_base_tcp (4,4) as it is sent at `now_s`, on the steady clock; None where the robot rests, or nobody knows."""
        self._verdict = read_latest(self._verdicts_in) or self._verdict
        if self._verdict.state != "running" or self._stream.age_s(now_s) > self._max_age_s:
            return None
        try:
            return convert.get_pose(self._verdict.executed, topics.VERDICT.name)
        except DataError:  # nothing was sent
            return None
