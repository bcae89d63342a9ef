"""The last word before the robot: proposals go in, what may be executed comes out, also when nobody proposes anything."""

import time
from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import PoseStamped
from std_srvs.srv import Trigger

from tactus_core.config import param
from tactus_core.errors import DeviceError
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.guard import Guard
from tactus_core.guard.types import Inputs
from tactus_core.guard.types import Verdict as Decision
from tactus_core.kinematics import Kinematics
from tactus_msgs.msg import Proposal, Verdict
from tactus_nodes import convert, convert_tactus, topics
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.plugins import find_robot
from tactus_nodes.process import run
from tactus_nodes.proposals import Proposals
from tactus_nodes.reading import INPUTS, ReaderConfig, RobotReader
from tactus_nodes.spinning import read_latest
from tactus_nodes.timing import Schedule

_WATCHDOG_S = 0.01
_WORDS = 8  # that may wait: sources share the topic, and the word of one must not push out another's


@dataclass(frozen=True, kw_only=True)
class GuardNodeConfig(GuardConfig, ReaderConfig, NodeConfig):
    """Parameters of the guard."""

    robot: str = param(doc="Robot, by its entry point in 'tactus.robots'.")
    dry_run: bool = param(False, doc="Judge everything and say so, and send nothing to the robot.")
    estop_timeout_s: float = param(0.5, low=0.2, high=2.0, doc="Silence of the emergency stop that counts as pressed.")


class GuardNode(TactusNode):
    """Steps on each proposal, and on its own clock where none comes; it reads the robot's state when it steps, and is not woken by it."""

    Config = GuardNodeConfig
    inputs = INPUTS

    def configure(self) -> None:
        """Load the robot's limits."""
        robot = find_robot(self.config.robot)
        self._kinematics = Kinematics(robot)
        self._reader = RobotReader(self, robot, self._kinematics)
        self._arm, self._verdict = PoseStamped(), Verdict()
        self._joints, self._hand = map(convert.joint_state, (robot.arm_joints, robot.hand_joints))
        for message in (self._arm, self._joints, self._hand, self._verdict):
            message.header.frame_id = robot.base_frame
        self._arm_out, self._joints_out = map(self.publisher, (topics.ARM_TARGET, topics.ARM_COMMAND))
        self._hand_out, self._verdict_out = map(self.publisher, (topics.HAND_COMMAND, topics.VERDICT))
        self.loop.then[self.subscribe(topics.PROPOSAL.deeper(_WORDS), self._take)] = self._answer
        self._estop_in, self._dead_man_in = map(self.poll, (topics.ESTOP, topics.DEAD_MAN))
        self.serve(Trigger, "~/reset", self._serve_reset)
        self.every(_WATCHDOG_S, self._watch)
        series = ("touch_to_guard_ms", "guard_work_ms", "tick_lateness_ms", "wake_lateness_ms")
        self._arrival, self._work, self._lateness, self._waking = map(self.samples, series)

    def activate(self) -> None:
        """Start holding, knowing nothing yet."""
        self._guard = Guard(self.config, self._kinematics)
        self._proposals = Proposals()
        self._stepped_s = self._worked_s = self._estop_s = self._dead_man_s = -np.inf
        self._estop, self._state, self._source = None, "", ""
        self._schedule = Schedule(_WATCHDOG_S, time.monotonic() + _WATCHDOG_S)
        if self.config.dry_run:
            self.get_logger().warning("DRY RUN: everything is judged, and nothing is sent to the robot")

    def _take(self, message: Proposal) -> None:
        self._arrival.add((self.now_s() - self._proposals.take(message, time.monotonic(), self._source)) * 1e3)

    def _answer(self) -> None:
        if self.active and self._proposals.due:
            began_s = time.monotonic()
            self._step()
            self._worked_s = time.monotonic()
            self._work.add((self._worked_s - began_s) * 1e3)

    def _hear(self) -> None:
        """Read what was said meanwhile: a guard that was held up must not take what waits for it unread for silence."""
        if (word := read_latest(self._estop_in)) is not None:
            self._estop, self._estop_s = word.data, time.monotonic()
        if (word := read_latest(self._dead_man_in)) is not None:
            self._dead_man_s = time.monotonic() if word.data else -np.inf

    def _watch(self) -> None:
        late_s, missed = self._schedule.tick(now_s := time.monotonic())
        self._lateness.add(late_s * 1e3)
        self._waking.add(min(late_s, now_s - self._worked_s) * 1e3)  # a tick that comes due while a proposal is judged waits for that
        self.lost += missed
        if now_s - self._stepped_s >= _WATCHDOG_S:
            self._step()

    def _step(self) -> None:
        self.ticks += 1
        self._hear()
        state, state_received_s, self._stepped_s = self._reader.read()
        if self._estop is None:
            # Unknown is neither pressed (that would latch) nor released: nothing is sent, and the devices hold.
            self.trouble = "no word from the emergency stop yet: is the supervisor running?"
            return
        estop = self._estop or self._stepped_s - self._estop_s > self.config.estop_timeout_s
        decision = self._guard.step(Inputs(self._proposals.all(), state, state_received_s, estop, self._stepped_s, self._dead_man_s))
        self._source = decision.source
        self._publish(decision)
        self._note(decision)

    def _publish(self, decision: Decision) -> None:
        # What the guard commands by itself answers no touch, and must not look as if it did.
        stamp = self._proposals.stamp(decision.source) if decision.source else self.stamp()
        if not self.config.dry_run and (target := decision.executed) is not None:
            # The arm first: it is what touch is about. The verdict last: nobody waits for it.
            self._arm.header.stamp = self._joints.header.stamp = self._hand.header.stamp = stamp
            if target.arm_rad is None:
                convert.put_pose(target.T_base_tcp, self._arm.pose)
                self._arm_out.publish(self._arm)
            for rad, message, out in ((target.arm_rad, self._joints, self._joints_out), (target.hand_rad, self._hand, self._hand_out)):
                if rad is not None:
                    message.position = convert.joint_array(rad)
                    out.publish(message)
        convert_tactus.put_verdict(decision, stamp, self._stepped_s, self.ticks, self._reader.ages_s(self._stepped_s), self._verdict)
        self._verdict_out.publish(self._verdict)

    def _note(self, decision: Decision) -> None:
        """Say each change of state, and why, in the log and in the diagnostics."""
        why = ", ".join((*decision.reasons, *self._reader.strangers)) or "no proposal yet"
        self.trouble = "" if decision.state == "running" else f"{decision.state}: {why}"
        if decision.state != self._state:
            self.get_logger().info(f"{self._state or 'unknown'} → {decision.state}: {decision.source if not self.trouble else why}")
            self._state = decision.state
            self.tell()

    def _serve_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            self._step()  # a release of the emergency stop may have come with this call, and counts
            self._guard.reset()
            response.success, response.message = True, "the guard holds the measured pose"
        except DeviceError as error:
            response.success, response.message = False, str(error)
        return response


def main() -> None:
    """Run the node."""
    run(GuardNode, "guard")
