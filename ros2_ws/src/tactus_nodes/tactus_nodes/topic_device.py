"""Any device that another ROS 2 driver runs: retells what that driver publishes, and passes on commands for as long as they are fresh."""

import math
import time
from dataclasses import dataclass
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseStamped, WrenchStamped
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Bool

from tactus_core.config import param
from tactus_core.driver_profile import DriverProfile
from tactus_core.errors import ConfigError, DataError
from tactus_nodes import convert, topics
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.commanders import commander
from tactus_nodes.contract import Input, parameter
from tactus_nodes.plugins import find_robot
from tactus_nodes.process import run
from tactus_nodes.retelling import Retelling
from tactus_nodes.topics import Topic

_LOOK_S = 0.02
_TIMEOUT = parameter("command_timeout_s")


@dataclass(frozen=True, kw_only=True)
class TopicDeviceConfig(DriverProfile, NodeConfig):
    """Parameters of the node: the profile of a driver. launch/params/profiles has those that we know."""

    dry_run: bool = param(False, doc="Listen to the driver, and pass no command on to it.")


class TopicDevice(TactusNode):
    """`ticks`: messages retold; `lost`: messages of the driver, or commands, that were not what they should be."""

    Config = TopicDeviceConfig
    inputs = (
        Input(topics.ARM_COMMAND, "has the arm hold: a trajectory where it was measured, else what it was told last", _TIMEOUT),
        Input(topics.ARM_TARGET, "sends nothing more: the arm's controller keeps the last pose", _TIMEOUT),
        Input(topics.HAND_COMMAND, "holds the measured posture", _TIMEOUT),
    )

    @classmethod
    def inputs_of(cls, config: Any) -> tuple[Input, ...]:
        """See `TactusNode`: the command, and what the driver tells."""
        command = _command(config)
        ours = tuple(declaration for declaration in cls.inputs if declaration.topic is command)
        theirs = ((config.states, JointState), (config.wrench, WrenchStamped), (config.images, Image))
        age = parameter("state_timeout_s")
        return ours + tuple(Input(Topic(name, kind), "says so, and passes no command on", age) for name, kind in theirs if name)

    def configure(self) -> None:
        """Open the topics."""
        self._command, self._names = _command(self.config), self._joints()
        self._retelling = Retelling(self, self.config, self._names)
        if self._command is not None:
            self._commander = commander(self, self.config, self.config.joints or self._names)
            self._holding_out = self.publisher(topics.DEVICE_HOLDING)
            self.subscribe(self._command, self._take)
            self.every(_LOOK_S, self._look)

    def activate(self) -> None:
        """Hold until commands come."""
        self._sent_s, self.refused = -math.inf, 0
        self._retelling.forget()
        if self._command is not None:
            self._commander.forget()
            self._refusal = "the driver has not been looked for yet"
            self._tell_holding(True)
        if self.config.dry_run:
            self.get_logger().warning("DRY RUN: the driver is heard, and no command is passed on to it")

    def deactivate(self) -> None:
        """Have the device hold."""
        if self._command is not None and not self._holding:
            self._hold()

    def _joints(self) -> tuple[str, ...]:
        if self.config.measures in ("wrench", "camera"):
            return ()
        robot = find_robot(self.config.robot)
        names = tuple(robot.arm_joints if self.config.measures == "arm" else robot.hand_joints)
        if self.config.joints and len(self.config.joints) != len(names):
            raise ConfigError(f"'joints' must rename the {len(names)} joints {names} of '{robot.name}', got {self.config.joints}.")
        return names

    def _take(self, message: Any) -> None:
        if self.config.dry_run:
            return
        try:
            command = self._checked(message)
        except DataError as error:
            self.lost += 1
            self.get_logger().error(str(error), throttle_duration_sec=1.0)
            return
        if self._refusal or self._commander.complaint():
            self.refused += 1
            return
        if self._command is topics.ARM_COMMAND:
            command = self.config.reachable(command, self._retelling.position_rad)
        self._commander.send(command)
        self._sent_s = time.monotonic()
        if self._holding:
            self._tell_holding(False)

    def _checked(self, message: Any) -> Any:
        if isinstance(message, PoseStamped):
            convert.get_pose(message.pose, self._command.name)
            return message
        return convert.finite(convert.joint_positions(message, self._names), self._command.name)

    def _look(self) -> None:
        self._refusal = self._commander.complaint() or self.stale(Topic(self.config.states, JointState))
        lapsed = time.monotonic() - self._sent_s > self.config.command_timeout_s
        if not self._holding and (lapsed or self._refusal):
            self._hold()
        self.trouble = self._refusal or ("no fresh command: the device holds" if self._holding else "")

    def _hold(self) -> None:
        """Have the device hold where it was just measured; not by a posture that is old, and not through somebody who does not obey."""
        if not (self._commander.complaint() or self.stale(Topic(self.config.states, JointState))):
            self._commander.hold(self._retelling.position_rad)
        self._tell_holding(True)

    def _tell_holding(self, holds: bool) -> None:
        self._holding = holds
        self._holding_out.publish(Bool(data=holds))

    def statuses(self) -> list[DiagnosticStatus]:
        """Return the node's status, with where its commands go."""
        own = super().statuses()
        if self.active and self._command is not None:
            told = {"commands_to": self._commander.topic, "refused": self.refused}
            own[0].values += [KeyValue(key=key, value=str(value)) for key, value in told.items()]
        return own


def _command(config: Any) -> Topic | None:
    if config.measures == "arm":
        return topics.ARM_TARGET if config.poses else topics.ARM_COMMAND
    return topics.HAND_COMMAND if config.measures == "hand" else None


def main() -> None:
    """Run the node."""
    run(TopicDevice, "topic_device")
