"""The simulated robot as a device: steps the world in real time, publishes its sensors, obeys commands for as long as they are fresh."""

import time
from dataclasses import dataclass
from functools import partial

from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped, WrenchStamped
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool

from tactus_core.config import param
from tactus_core.errors import DataError
from tactus_core.kinematics import Kinematics
from tactus_core.types import WorldTick
from tactus_msgs.srv import ResetEpisode
from tactus_nodes import convert, convert_seen, convert_tactus, topics
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.command_log import CommandLog
from tactus_nodes.contract import Input, parameter
from tactus_nodes.plugins import find_task
from tactus_nodes.process import run
from tactus_nodes.timing import Answers, Schedule

TICK_S = 0.005
_TICKS_PER_SNAPSHOT, _PAUSE_S = 10, 0.15


@dataclass(frozen=True, kw_only=True)
class SimDeviceConfig(NodeConfig):
    """Parameters of the simulated robot."""

    task: str = param(doc="Simulated task, by its entry point in 'tactus.tasks'.")
    shift: str = param("", doc="Other circumstances of the task, by name; empty: the usual ones.")
    seed: int = param(0, low=0, high=2**53, doc="Episode that is started at activation.")
    viewer: bool = param(False, doc="Open the simulator's window.")
    command_timeout_s: float = param(0.08, low=0.01, high=1.0, doc="Silence after which the measured pose is held.")
    command_log: str = param("", doc="File in which it notes each command that reaches it; empty: nowhere.")


class SimDevice(TactusNode):
    """One thread owns the world. Between two steps it takes each command, and the last one counts; a late step counts what it missed."""

    Config = SimDeviceConfig
    inputs = (
        Input(topics.ARM_TARGET, "holds the measured pose", parameter("command_timeout_s")),
        Input(topics.ARM_COMMAND, "the same, where the arm is commanded by joints"),
        Input(topics.HAND_COMMAND, "leaves the hand as it is", parameter("command_timeout_s")),
    )

    def configure(self) -> None:
        """Make the world."""
        task = find_task(self.config.task, self.config.shift)
        self._world, robot = task.make_world(self.config.viewer), task.robot
        self._target = partial(convert.target, robot=robot, tcp_pose=Kinematics(robot).tcp_pose)
        tick = self._world.reset(self.config.seed)
        self._joints = convert.joint_state((*robot.arm_joints, *robot.hand_joints))
        self._wrench, self._touch = WrenchStamped(), convert_seen.taxel_cloud(*tick.taxels.shape[:2])
        self._wrench.header.frame_id, self._touch.header.frame_id = "tcp", "fingertips"
        self._joints_out, self._wrench_out, self._touch_out = map(self.publisher, (topics.JOINT_STATES, topics.WRENCH, topics.TACTILE))
        self._world_out, self._outcome_out, self._holding_out = map(self.publisher, (topics.WORLD, topics.OUTCOME, topics.DEVICE_HOLDING))
        log = self._keep(CommandLog.close, CommandLog.of(self.config.command_log))
        take_hand = partial(setattr, self, "_hand")
        for topic, take in ((topics.HAND_COMMAND, take_hand), (topics.ARM_TARGET, self._take_arm), (topics.ARM_COMMAND, self._take_arm)):
            self.subscribe(topic.deeper(50), log.before(topic.name, take))
        self.serve(ResetEpisode, "sim/reset", self._reset)
        self.every(TICK_S, self._tick)
        self._schedule = Schedule(TICK_S)
        self._latency, self._lateness, self._work = map(self.samples, ("touch_to_command_ms", "tick_lateness_ms", "world_step_ms"))
        self.counts = {"ticks": 0, "missed": 0, "unanswered": 0}

    def activate(self) -> None:
        """Start the episode of the parameter `seed`."""
        self._start(self.config.seed)

    def deactivate(self) -> None:
        """Hold the measured pose."""
        self._hold()

    def _hold(self) -> None:
        self._commanded_s = None
        self._world.command(None)
        self._holding_out.publish(Bool(data=True))

    def _start(self, seed: int) -> None:
        self._world.reset(seed)
        self._hold()
        self._hand, self._done, self._answers = None, False, Answers()
        # The robot was elsewhere a moment ago: the sensors fall silent, so that whoever remembers where forgets it.
        self._resume_s = time.monotonic() + _PAUSE_S

    def _tick(self) -> None:
        now_s = time.monotonic()
        if now_s < self._resume_s:
            # The timer keeps its phase: this tick came when it was due, as far as anybody knows.
            self._schedule.begin(now_s + TICK_S)
            return
        late_s, missed = self._schedule.tick(now_s)
        self.lost += missed
        for name, more in (("ticks", 1), ("missed", missed), ("unanswered", self._answers.owed)):
            self.counts[name] += more
        self._lateness.add(late_s * 1e3)
        if self._commanded_s is not None and now_s - self._commanded_s > self.config.command_timeout_s:
            self._hold()
        tick = self._world.step()
        stamp = self.stamp()
        self._work.add((time.monotonic() - now_s) * 1e3)
        self._answers.touch(convert.seconds(stamp))
        self._publish(tick, stamp)
        self.ticks += 1
        self.trouble = "" if self._commanded_s is not None else "no fresh command: holding the measured pose"

    def _publish(self, tick: WorldTick, stamp: Time) -> None:
        joints = (tick.joint_position_rad, tick.joint_velocity_rad_s, tick.joint_effort_Nm)
        self._joints.position, self._joints.velocity, self._joints.effort = map(convert.joint_array, joints)
        convert.put_wrench(tick.state.wrench_tcp, self._wrench)
        convert_seen.put_taxels(tick.taxels, self._touch)
        for out, message in ((self._joints_out, self._joints), (self._wrench_out, self._wrench), (self._touch_out, self._touch)):
            message.header.stamp = stamp
            out.publish(message)
        if self.ticks % _TICKS_PER_SNAPSHOT == 0:
            self._world_out.publish(convert_tactus.to_world(tick.snapshot, stamp))
        if tick.done and not self._done:
            self._done = True
            self._outcome_out.publish(convert_tactus.to_outcome(self._world.outcome(), stamp))

    def _take_arm(self, message: PoseStamped | JointState) -> None:
        if (now_s := time.monotonic()) < self._resume_s:
            return  # of the episode before
        stamp_s = convert.seconds(message.header.stamp)
        if self._answers.command(stamp_s):
            self._latency.add((self.now_s() - stamp_s) * 1e3)
        try:
            self._world.command(self._target(message, None if self.stale(topics.HAND_COMMAND) else self._hand))
            if self._commanded_s is None:
                self._holding_out.publish(Bool(data=False))
            self._commanded_s = now_s
        except DataError as error:
            self.get_logger().error(str(error), throttle_duration_sec=1.0)

    def _reset(self, request: ResetEpisode.Request, response: ResetEpisode.Response) -> ResetEpisode.Response:
        response.success, response.message = self.active, "" if self.active else "the device is not active: wait for the supervisor"
        if self.active:
            self._start(request.seed)
        return response


def main() -> None:
    """Run the node."""
    run(SimDevice, "sim_device")
