"""An arm or a hand that another part of the process moves: its topics, its command and when that lapses, and what it was asked for."""

from collections.abc import Callable, Sequence

from builtin_interfaces.msg import Time
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool

from tactus_core.errors import DataError
from tactus_core.types import Array, JointTick
from tactus_nodes import convert, streams
from tactus_nodes.base import TactusNode
from tactus_nodes.goal_log import GoalLog
from tactus_nodes.topics import Topic


class Limb:
    """`holds`: no fresh command has come, and it has come to rest by itself.

    move: takes joint positions [rad], or None to hold; returns what is asked for now.
    """

    def __init__(
        self,
        node: TactusNode,
        joints: Sequence[str],
        topics: tuple[Topic, Topic, Topic],
        move: Callable[[Array | None], Array],
        log: GoalLog,
    ) -> None:
        """topics: of joint states, of commands, and of whether it holds."""
        states, self._command, holding = topics
        self._node, self._joints, self._move = node, tuple(joints), move
        self._states_out, self._holding_out = node.publisher(states), node.publisher(holding)
        node.subscribe(self._command, self._take)
        self._log, self._commanded_s = log, 0.0
        self.holds = True

    def hold(self) -> None:
        """Come to rest, and hold until the next command."""
        self._move(None)
        self._tell(True)

    def watch(self, now_s: float, timeout_s: float) -> None:
        """Hold where the last command is too old by now."""
        if not self.holds and now_s - self._commanded_s > timeout_s:
            self.hold()

    def publish(self, tick: JointTick, stamp: Time) -> None:
        """Tell what was measured."""
        self._states_out.publish(streams.joint_states(self._joints, tick.position_rad, tick.velocity_rad_s, stamp))

    def _take(self, message: JointState) -> None:
        if not self._node.active:
            return
        try:
            wanted_rad = convert.finite(convert.joint_positions(message, self._joints), self._command.name)
        except DataError as error:
            self._node.lost += 1
            self._node.get_logger().error(str(error), throttle_duration_sec=1.0)
            return
        self._commanded_s = self._log.note(self._move(wanted_rad).tolist())
        if self.holds:
            self._tell(False)

    def _tell(self, holds: bool) -> None:
        self.holds = holds
        self._holding_out.publish(Bool(data=holds))
