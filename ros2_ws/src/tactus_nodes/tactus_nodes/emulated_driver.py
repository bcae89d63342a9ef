"""Stands for another ROS 2 driver, as its profile describes it: tells joints and wrench, and obeys; behind it nothing moves but numbers.

With a controller manager it speaks as ros2_control does with a trajectory controller that is active; without, as a hand's driver that takes
joint states. What a message cannot tell apart from the real driver is emulated, and nothing else: no dynamics, no limits, no contact.
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from controller_manager_msgs.msg import ControllerState
from controller_manager_msgs.srv import ListControllers
from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from tactus_core.config import param
from tactus_core.driver_profile import DriverProfile
from tactus_core.errors import ConfigError, DataError
from tactus_core.types import Array
from tactus_nodes import convert, streams
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.contract import Input
from tactus_nodes.goal_log import GoalLog
from tactus_nodes.plugins import find_robot
from tactus_nodes.process import run
from tactus_nodes.topics import Topic

_TICK_S = 0.005
_NOISE_RAD, _NOISE_N = 1e-6, 0.05  # what repeats itself to the bit would be taken for a dead sensor
_CONTROLLER = "joint_trajectory_controller"
_TYPE = f"{_CONTROLLER}/JointTrajectoryController"


@dataclass(frozen=True, kw_only=True)
class EmulatedDriverConfig(DriverProfile, NodeConfig):
    """Parameters of the node: the profile of the driver that it stands for."""

    emulator_logs: str = param("", doc="Folder in which it notes each goal that it is given, in MEASURES.txt (arm, hand); empty: nowhere.")


class EmulatedDriver(TactusNode):
    """`lost`: commands that were none to it."""

    Config = EmulatedDriverConfig

    @classmethod
    def inputs_of(cls, config: Any) -> tuple[Input, ...]:
        """See `TactusNode`: the command, which it goes on with for ever, as the real ones do."""
        return (Input(_command(config), "goes on to the last command, as the driver that it stands for"),)

    def configure(self) -> None:
        """Open the driver's topics; raises ConfigError for a driver that is not emulated."""
        if self.config.measures not in ("arm", "hand") or self.config.poses:
            raise ConfigError("only arms that take joint positions, and hands, are emulated; expected measures: arm or hand, poses: false.")
        robot = find_robot(self.config.robot)
        ours, at_home = (robot.arm_joints, robot.q_home_rad) if self.config.measures == "arm" else (robot.hand_joints, robot.hand_rest_rad)
        self._joints = tuple(self.config.joints or ours)
        self._at_rad, self._rng = np.array(at_home, dtype=np.float64), np.random.default_rng(0)
        self._states_out = self.publisher(Topic(self.config.states, JointState, reliable=False))
        self._wrench_out = self.publisher(Topic(self.config.wrench, WrenchStamped, reliable=False)) if self.config.wrench else None
        self._log = self._keep(GoalLog.close, GoalLog(self.config.emulator_logs, self.config.measures))
        self.subscribe(_command(self.config), self._take)
        if self.config.controller_manager:
            self.serve(ListControllers, f"{self.config.controller_manager}/list_controllers", self._list)
        self.every(_TICK_S, self._tick)
        self.get_logger().warning(f"EMULATED: the driver of the {self.config.measures} of {robot.name}")

    def activate(self) -> None:
        """Stand where it stands."""
        self._goal_rad, self._there_s, self._stepped_s = self._at_rad, 0.0, time.monotonic()

    def _take(self, message: Any) -> None:
        if not self.active:
            return
        try:
            goal_rad, in_s = self._read(message)
        except DataError as error:
            self.lost += 1
            self.get_logger().error(str(error), throttle_duration_sec=1.0)
            return
        self._goal_rad, self._there_s = goal_rad, self._log.note(goal_rad.tolist()) + in_s

    def _read(self, message: Any) -> tuple[Array, float]:
        """Return the goal [rad] of a command, in our order, and the time in which it is to be reached [s]."""
        if isinstance(message, JointState):
            return convert.finite(convert.joint_positions(message, self._joints), "the command"), 0.0
        if len(message.points) != 1:
            raise DataError(f"a trajectory of {len(message.points)} points came; this emulator takes those of one.")
        (point,) = message.points
        named = convert.joint_state(message.joint_names)
        named.position = point.positions
        goal_rad = convert.finite(convert.joint_positions(named, self._joints), "the command")
        return goal_rad, point.time_from_start.sec + 1e-9 * point.time_from_start.nanosec

    def _list(self, request: ListControllers.Request, response: ListControllers.Response) -> ListControllers.Response:
        needed = [f"{joint}/position" for joint in self._joints]
        response.controller = [ControllerState(name=_CONTROLLER, type=_TYPE, state="active", required_command_interfaces=needed)]
        return response

    def _tick(self) -> None:
        now_s = time.monotonic()
        before_rad, left_s, dt_s = self._at_rad, self._there_s - self._stepped_s, now_s - self._stepped_s
        share = 1.0 if left_s <= dt_s else dt_s / left_s
        self._at_rad, self._stepped_s = before_rad + share * (self._goal_rad - before_rad), now_s
        measured_rad = self._at_rad + self._rng.normal(0.0, _NOISE_RAD, len(self._joints))
        velocity_rad_s = (self._at_rad - before_rad) / max(dt_s, 1e-3)
        self._states_out.publish(streams.joint_states(self._joints, measured_rad, velocity_rad_s, self.stamp()))
        if self._wrench_out is not None:
            self._wrench_out.publish(streams.wrench(self._rng.normal(0.0, _NOISE_N, 6), self.stamp(), "tcp"))
        self.ticks += 1


def _command(config: Any) -> Topic:
    if not config.controller_manager:
        return Topic(config.commands, JointState)
    return Topic(f"{config.controller_manager.rpartition('/')[0]}/{_CONTROLLER}/joint_trajectory", JointTrajectory)


def main() -> None:
    """Run the node."""
    run(EmulatedDriver, "emulated_driver")
