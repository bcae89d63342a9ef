"""A whole robot, simulated: publishes and obeys exactly what the drivers of its devices do, on their topics and at their rates."""

import time
from dataclasses import dataclass
from typing import Any

from tactus_core.config import param
from tactus_core.types import RobotTick
from tactus_nodes import streams, topics
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.contract import Input, parameter
from tactus_nodes.goal_log import GoalLog
from tactus_nodes.limb import Limb
from tactus_nodes.plugins import find_robot, find_sim
from tactus_nodes.process import run
from tactus_nodes.timing import Schedule

TICK_S = 0.002
# Ticks that a late step makes up for, so that what moves does so in real time; after a longer gap the world has stood still.
_MOST_AT_ONCE = 25
_ARM = (topics.JOINT_STATES, topics.ARM_COMMAND, topics.ARM_HOLDING)
_HAND = (topics.HAND_STATES, topics.HAND_COMMAND, topics.HAND_HOLDING)


@dataclass(frozen=True, kw_only=True)
class SimRobotConfig(NodeConfig):
    """Parameters of the simulated robot."""

    robot: str = param(doc="Robot, by its entry points in 'tactus.robots' and 'tactus.sims'.")
    viewer: bool = param(False, doc="Open the simulator's window.")
    command_timeout_s: float = param(0.1, low=0.01, high=1.0, doc="Silence of commands after which arm and hand come to rest.")
    speed_limit_rad_s: float = param(1.5, low=0.01, high=10.0, doc="Speed at which the arm's servos walk to what was commanded, at most.")
    goal_logs: str = param("", doc="Folder for what it is asked for: a line per goal in arm.txt and hand.txt; empty: nowhere.")


class SimRobotNode(TactusNode):
    """One thread owns the world. Between two steps it takes commands, as joints alone: the guard has resolved every pose."""

    Config = SimRobotConfig
    inputs = (
        Input(topics.ARM_COMMAND, "brakes, and holds", parameter("command_timeout_s")),
        Input(topics.HAND_COMMAND, "stops, and holds", parameter("command_timeout_s")),
    )

    @classmethod
    def inputs_of(cls, config: Any) -> tuple[Input, ...]:
        """See `TactusNode`."""
        return cls.inputs if find_robot(config.robot).hand_joints else cls.inputs[:1]

    def configure(self) -> None:
        """Make the world."""
        robot, sim = find_robot(self.config.robot), find_sim(self.config.robot)
        self._world = sim.make_world(robot, self.config.speed_limit_rad_s, self.config.viewer)
        self._arm = Limb(self, robot.arm_joints, _ARM, self._world.move_arm, self._log("arm"))
        self._hand = Limb(self, robot.hand_joints, _HAND, self._world.move_hand, self._log("hand")) if robot.hand_joints else None
        self._limbs = [self._arm] if self._hand is None else [self._arm, self._hand]
        self.get_logger().warning(f"SIMULATED: {robot.name}, in an empty space")
        feels = self._world.reset().wrench_tcp is not None
        self._wrench_out = self.publisher(topics.WRENCH_RAW) if feels else None
        self._every = [max(1, round(1.0 / (rate_Hz * TICK_S))) for rate_Hz in (sim.arm_Hz, sim.hand_Hz, sim.wrench_Hz)]
        self.every(TICK_S, self._tick)
        self._lateness, self._work = map(self.samples, ("tick_lateness_ms", "tick_work_ms"))

    def _log(self, name: str) -> GoalLog:
        return self._keep(GoalLog.close, GoalLog(self.config.goal_logs, name))

    def activate(self) -> None:
        """Stand at home."""
        self._world.reset()
        self._schedule = Schedule(TICK_S, time.monotonic() + TICK_S)
        self.deactivate()

    def deactivate(self) -> None:
        """Come to rest, and hold."""
        for limb in self._limbs:
            limb.hold()

    def _tick(self) -> None:
        now_s = time.monotonic()
        late_s, missed = self._schedule.tick(now_s)
        self.lost += missed
        self._lateness.add(late_s * 1e3)
        for limb in self._limbs:
            limb.watch(now_s, self.config.command_timeout_s)
        for _ in range(1 + min(missed, _MOST_AT_ONCE)):
            tick = self._world.step()
        self._publish(tick, 1 + missed)
        self._work.add((time.monotonic() - now_s) * 1e3)
        self.trouble = "no fresh command: holding" if any(limb.holds for limb in self._limbs) else ""

    def _publish(self, tick: RobotTick, passed: int) -> None:
        """Publish what came due within so many ticks."""
        arm, hand, wrench = (self.ticks // every < (self.ticks + passed) // every for every in self._every)
        self.ticks += passed
        stamp = self.stamp()
        if arm:
            self._arm.publish(tick.arm, stamp)
        if hand and self._hand is not None:
            self._hand.publish(tick.hand, stamp)
        if wrench and self._wrench_out is not None:
            self._wrench_out.publish(streams.wrench(tick.wrench_tcp, stamp, "tcp"))


def main() -> None:
    """Run the node."""
    run(SimRobotNode, "sim_robot")
