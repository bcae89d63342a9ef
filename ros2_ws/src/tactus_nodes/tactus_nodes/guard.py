"""The last word before the robot: proposals go in, what may be executed comes out, also when nobody proposes anything."""

import time
from dataclasses import dataclass

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from tactus_core.config import param
from tactus_core.errors import DeviceError, TactusError
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.guard import Guard
from tactus_core.guard.types import Inputs, Received
from tactus_core.guard.types import Verdict as Decision
from tactus_core.kinematics import Kinematics
from tactus_core.types import RobotState
from tactus_msgs.msg import Proposal, Verdict
from tactus_nodes import convert, convert_tactus, topics
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.executor import read_latest
from tactus_nodes.plugins import find_robot
from tactus_nodes.process import run

_WATCHDOG_S = 0.01


@dataclass(frozen=True, kw_only=True)
class GuardNodeConfig(GuardConfig, NodeConfig):
    """Parameters of the guard."""

    robot: str = param(doc="Robot, by its entry point in 'tactus.robots'.")
    estop_timeout_s: float = param(0.5, low=0.2, high=2.0, doc="Silence of the emergency stop that counts as pressed.")


class GuardNode(TactusNode):
    """Steps on each proposal, and on its own clock where none comes; it reads the robot's state when it steps, and is not woken by it."""

    Config = GuardNodeConfig

    def configure(self) -> None:
        """Load the robot's limits."""
        robot = find_robot(self.config.robot)
        self._arm_joints = len(robot.arm_joints)
        self._names = (*robot.arm_joints, *robot.hand_joints)
        self._kinematics = Kinematics(robot)
        self._arm, self._hand, self._verdict = PoseStamped(), convert.joint_state(robot.hand_joints), Verdict()
        for message in (self._arm, self._hand, self._verdict):
            message.header.frame_id = robot.base_frame
        self._arm_out, self._hand_out, self._verdict_out = map(self.publisher, (topics.ARM_TARGET, topics.HAND_COMMAND, topics.VERDICT))
        self._joints_in, self._wrench_in = self.poll(topics.JOINT_STATES), self.poll(topics.WRENCH)
        self.subscribe(topics.PROPOSAL, self._take)
        self.subscribe(topics.ESTOP, self._take_estop)
        self.serve(Trigger, "~/reset", self._serve_reset)
        self.every(_WATCHDOG_S, self._watch)
        self._arrival = self.samples("touch_to_guard_ms")
        self._work = self.samples("guard_work_ms")

    def activate(self) -> None:
        """Start holding, knowing nothing yet."""
        self._guard = Guard(self.config, self._kinematics.hand_low_rad, self._kinematics.hand_high_rad)
        self._proposals: dict[str, tuple[Received, Time]] = {}
        self._joints = self._wrench = None
        self._joints_s = self._wrench_s = self._stepped_s = -np.inf
        self._estop: bool | None = None
        self._estop_s = -np.inf

    def _take(self, message: Proposal) -> None:
        now_s = time.monotonic()
        proposal = convert_tactus.proposal(message)
        self._arrival.add((self.now_s() - proposal.stamp_s) * 1e3)
        self._proposals[proposal.source] = Received(proposal, now_s), message.header.stamp
        self._step(now_s)
        self._work.add((time.monotonic() - now_s) * 1e3)

    def _take_estop(self, message: Bool) -> None:
        self._estop, self._estop_s = message.data, time.monotonic()

    def _watch(self) -> None:
        now_s = time.monotonic()
        if now_s - self._stepped_s >= _WATCHDOG_S:
            self._step(now_s)

    def _step(self, now_s: float) -> None:
        self._stepped_s = now_s
        self.ticks += 1
        if self._estop is None:
            # Unknown is neither pressed (that would latch) nor released: nothing is sent, and the devices hold.
            self.trouble = "no word from the emergency stop yet: is the supervisor running?"
            return
        estop = self._estop or now_s - self._estop_s > self.config.estop_timeout_s
        proposals = [received for received, _ in self._proposals.values()]
        state = self._state(now_s)
        decision = self._guard.step(Inputs(proposals, state, min(self._joints_s, self._wrench_s), estop, now_s))
        self.trouble = "" if decision.state == "running" else f"{decision.state}: {', '.join(decision.reasons) or 'no proposal yet'}"
        self._publish(decision)

    def _state(self, now_s: float) -> RobotState | None:
        joints, wrench = read_latest(self._joints_in), read_latest(self._wrench_in)
        if joints is not None:
            self._joints, self._joints_s = joints, now_s
        if wrench is not None:
            self._wrench, self._wrench_s = wrench, now_s
        if self._joints is None or self._wrench is None:
            return None
        try:
            positions = convert.joint_positions(self._joints, self._names)
            T = self._kinematics.tcp_pose(positions[: self._arm_joints])
            stamp_s = convert.seconds(self._joints.header.stamp)
            return RobotState(stamp_s, T, convert.wrench_tcp(self._wrench), np.full(4, np.nan), positions[self._arm_joints :])
        except TactusError as error:
            self.get_logger().error(str(error), throttle_duration_sec=1.0)
            return None

    def _publish(self, decision: Decision) -> None:
        # What the guard commands by itself answers no touch, and must not look as if it did.
        stamp = self._proposals[decision.source][1] if decision.source else self.get_clock().now().to_msg()
        if decision.executed is not None:
            # The arm first: it is what touch is about. The verdict last: nobody waits for it.
            self._arm.header.stamp = stamp
            convert.put_pose(decision.executed.T_base_tcp, self._arm.pose)
            self._arm_out.publish(self._arm)
            if decision.executed.hand_rad is not None:
                self._hand.header.stamp, self._hand.position = stamp, convert.joint_array(decision.executed.hand_rad)
                self._hand_out.publish(self._hand)
        convert_tactus.put_verdict(decision, stamp, self._verdict)
        self._verdict_out.publish(self._verdict)

    def _serve_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            self._step(time.monotonic())  # a release of the emergency stop may have come with this call, and counts
            self._guard.reset()
            response.success, response.message = True, "the guard holds the measured pose"
        except DeviceError as error:
            response.success, response.message = False, str(error)
        return response


def main() -> None:
    """Run the node."""
    run(GuardNode, "guard")
