"""A joystick's say in stopping: its stop button and its silence press the emergency stop, its dead-man button permits motion."""

import time
from dataclasses import dataclass

from sensor_msgs.msg import Joy
from std_msgs.msg import Bool

from tactus_core.config import param
from tactus_nodes import topics
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.contract import Input, parameter
from tactus_nodes.joystick import Joystick
from tactus_nodes.process import run

_TELL_S = 0.03


@dataclass(frozen=True, kw_only=True)
class JoyPanelConfig(NodeConfig):
    """Parameters of the joystick's panel; buttons by their index in `joy`."""

    estop_button: int = param(1, low=0, high=63, doc="Button that presses the emergency stop.")
    dead_man_button: int = param(4, low=0, high=63, doc="Button that has to be held for `dead_man` to be true.")
    timeout_s: float = param(0.5, low=0.05, high=0.5, doc="Silence of the joystick that presses the emergency stop.")


class JoyPanel(TactusNode):
    """Tells on every reading and on its own clock, so that neither a short press nor a silence is missed."""

    Config = JoyPanelConfig
    inputs = (Input(topics.JOY, "presses the emergency stop, and lets go of the dead-man's switch", parameter("timeout_s")),)

    def configure(self) -> None:
        """Open the joystick's topic."""
        self._joystick = Joystick(self.config.estop_button, self.config.dead_man_button, self.config.timeout_s)
        self._estop_out, self._dead_man_out = self.publisher(topics.ESTOP_REQUEST), self.publisher(topics.DEAD_MAN)
        self.subscribe(topics.JOY.deeper(10), self._take)
        self.every(_TELL_S, self._tell)

    def activate(self) -> None:
        """Expect the joystick from now on."""
        self._joystick.begin(time.monotonic())

    def deactivate(self) -> None:
        """Let go of the dead-man."""
        self._dead_man_out.publish(Bool(data=False))

    def _take(self, message: Joy) -> None:
        self.ticks += 1
        if refusal := self._joystick.take(message.buttons, time.monotonic()):
            self.get_logger().error(refusal, throttle_duration_sec=5.0)
        self._tell()

    def _tell(self) -> None:
        now_s = time.monotonic()
        stop = self._joystick.stop(now_s)
        if stop and stop != self.trouble:
            self.get_logger().error(f"emergency stop: {stop}")
        self.trouble = stop
        self._dead_man_out.publish(Bool(data=self._joystick.dead_man(now_s)))
        if stop:
            self._estop_out.publish(Bool(data=True))


def main() -> None:
    """Run the node."""
    run(JoyPanel, "joy_panel")
