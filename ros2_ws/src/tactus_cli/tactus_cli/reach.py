"""A whole robot, emulated or simulated, that reaches again and again: what it did, by its graph and by what its devices were told."""

import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tactus_cli.bringup import launch_file
from tactus_cli.launching.session import Launched
from tactus_core.errors import DataError
from tactus_core.guard.config import GuardConfig
from tactus_core.kinematics import Kinematics
from tactus_core.types import Array, Proposal, RobotDescription, Target
from tactus_msgs.msg import Proposal as ProposalMsg
from tactus_nodes import convert, convert_tactus, plugins, topics
from tactus_nodes.client import GraphSession
from tactus_nodes.timing import cpu_s
from tactus_nodes.topics import Topic

_EVERY_S = 0.01
_TURN_S = 3.0  # from one reach to the next
_START_S = 60.0
_ARM_RAD, _HAND_SHARE = 0.25, 0.4  # how far: each joint of the arm; the hand's joints, of the way to the middle of their range
_THERE_RAD = 0.03
# Speed is judged over stretches no shorter than this: commands come with the jitter of two processes and a wire.
_STRETCH_S = 0.05
_SLACK = 1.1


@dataclass
class Reacher:
    """Proposes a posture, then another, and so on, through the guard like any policy; keeps what it sees of the robot."""

    session: GraphSession
    robot: RobotDescription
    arm_states: Topic
    arm_rad: Array | None = None
    hand_rad: Array | None = None
    states: dict[str, int] = field(default_factory=dict)
    reached: int = 0
    asked: int = 0

    def __post_init__(self) -> None:
        self._out = self.session.node.create_publisher(ProposalMsg, topics.PROPOSAL.name, topics.PROPOSAL.qos)
        self._kinematics, self._message = Kinematics(self.robot), ProposalMsg()
        self._hand_apart = bool(self.robot.hand_joints)
        self.session.listen(self.arm_states, self._take_arm)
        if self._hand_apart:
            self.session.listen(topics.HAND_STATES, self._take_hand)
        self.session.listen(topics.VERDICT, self._take_verdict)

    def run(self, seconds: float) -> None:
        """Reach for so long. Raises DeviceError where the graph fails."""
        self.session.wait_for(self._known, _START_S, "the robot's joints")
        away = self._goals()
        home = (self.arm_rad.copy(), None if self.hand_rad is None else self.hand_rad.copy())
        ends_s, there, turn_s, due_s = time.monotonic() + seconds, False, -np.inf, -np.inf
        goal = home

        def step() -> bool:
            nonlocal turn_s, due_s, goal, there
            now_s = time.monotonic()
            if now_s - turn_s >= _TURN_S:
                self.reached += there
                self.asked += 1
                goal, turn_s, there = (away if self.asked % 2 else home), now_s, False
            if now_s >= due_s:
                due_s = now_s + _EVERY_S
                self._propose(*goal)
            there = there or self._near(*goal)
            return now_s >= ends_s

        self.session.wait_for(step, seconds + 5.0, "the robot to have reached long enough")
        self.reached += there

    def _goals(self) -> tuple[Array, Array | None]:
        k = self._kinematics
        towards = np.where(self.arm_rad + _ARM_RAD < np.minimum(k.arm_high_rad, np.pi), 1.0, -1.0)
        hand = None
        if self.hand_rad is not None:
            hand = self.hand_rad + _HAND_SHARE * (0.5 * (k.hand_low_rad + k.hand_high_rad) - self.hand_rad)
        return self.arm_rad + _ARM_RAD * towards, hand

    def _propose(self, arm_rad: Array, hand_rad: Array | None) -> None:
        stamp = self.session.node.get_clock().now()
        target = Target(self._kinematics.tcp_pose(arm_rad), hand_rad, arm_rad)
        convert_tactus.put_proposal(Proposal(stamp.nanoseconds * 1e-9, "policy", target), stamp.to_msg(), self._message)
        self._out.publish(self._message)

    def _near(self, arm_rad: Array, hand_rad: Array | None) -> bool:
        arm = np.abs(self.arm_rad - arm_rad).max() < _THERE_RAD
        return bool(arm and (hand_rad is None or np.abs(self.hand_rad - hand_rad).max() < 2.0 * _THERE_RAD))

    def _known(self) -> bool:
        return self.arm_rad is not None and (self.hand_rad is not None or not self._hand_apart)

    def _take_arm(self, message: Any) -> None:
        self.arm_rad = convert.joint_positions(message, tuple(self.robot.arm_joints))

    def _take_hand(self, message: Any) -> None:
        self.hand_rad = convert.joint_positions(message, tuple(self.robot.hand_joints))

    def _take_verdict(self, message: Any) -> None:
        self.states[message.state] = self.states.get(message.state, 0) + 1


def whole_robots(mode: str) -> list[str]:
    """Return the names of the robots in launch/robots that can run in this mode: of the launch file, and of its robot's description."""
    files = launch_file("robot.launch.xml").parent.glob("robots/*.launch.xml")
    known = {file.name.removesuffix(".launch.xml") for file in files}
    simulated = plugins.names("tactus.sims")
    return sorted(name for name in known if mode != "sim" or name in simulated)


def _by_topics(file: Path) -> bool:
    """Return whether the arm is another ROS 2 driver's: its joints are then retold on a topic of ours."""
    return any(arg.get("name") == "arm" and arg.get("value") == "topics" for arg in ET.parse(file).iter("arg"))


def reach(file: Path, robot: RobotDescription, mode: str, seconds: float, realtime: bool, folder: Path) -> dict[str, Any]:
    """Launch a whole robot in a mode, let it reach for `seconds`, and return the report. Raises DeviceError where it fails.

    mode: emulated or sim. errors: lines of the nodes' logs that say so. broken: limits that the logs of the emulators, or of the simulated
    robot, show broken, and by how much.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arguments = {"mode": mode, "dry_run": "false", "record": "true", "folder": str(folder / "bag"), "emulator_logs": str(folder)}
    arguments["realtime"] = str(realtime).lower()
    with Launched(file, arguments, folder=folder / "logs") as launched, GraphSession(launched.check) as session:
        session.wait_ready(_START_S)
        reacher = Reacher(session, robot, topics.ARM_STATES if _by_topics(file) else topics.JOINT_STATES)
        session.wait_for(lambda: {"sim_robot" if mode == "sim" else "arm", "guard"} <= set(session.alive), _START_S, "heartbeats")
        nodes = sorted(name for name in session.alive if name != "supervisor")
        pids = {name: entry["pid"] for name, entry in session.timing(nodes).items()}
        before, began_s = {name: cpu_s(pid) for name, pid in pids.items()}, time.monotonic()
        reacher.run(seconds)
        span_s = time.monotonic() - began_s
        cpu = {name: round((cpu_s(pid) - before[name]) / span_s, 2) for name, pid in pids.items()}
    kinematics, config = Kinematics(robot), GuardConfig()
    arm_speed = np.minimum(config.max_joint_speed_rad_s, kinematics.arm_speed_rad_s)
    broken = judge(folder / "arm.txt", kinematics.arm_low_rad, kinematics.arm_high_rad, arm_speed, "arm")
    if robot.hand_joints:
        broken |= judge(folder / "hand.txt", kinematics.hand_low_rad, kinematics.hand_high_rad, config.max_hand_speed_rad_s, "hand")
    errors = [line for log in sorted((folder / "logs").glob("*.log")) for line in log.read_text().splitlines() if "[ERROR]" in line]
    total = sum(reacher.states.values())
    return {
        "robot": robot.name,
        "mode": mode,
        "seconds": round(span_s, 1),
        "reached": [reacher.reached, reacher.asked],
        "running_share": round(reacher.states.get("running", 0) / total, 3) if total else 0.0,
        "errors": errors,
        "broken": broken,
        "cpu": cpu,
    }


def judge(log: Path, low_rad: Array, high_rad: Array, speed_rad_s: Array | float, name: str) -> dict[str, float]:
    """Return which limits the goals in an emulator's log break, and by which share they are exceeded at most.

    A line of the log: time [s], then each joint [rad]. Raises DataError where nothing was commanded.
    """
    rows = np.loadtxt(log, ndmin=2)
    if len(rows) < 3:
        raise DataError(f"{log}: {len(rows)} goals, expected a motion. Did the guard hold all the time? Its verdicts say why.")
    time_s, goal = rows[:, 0], rows[:, 1:]
    broken: dict[str, float] = {}
    beyond = float(np.maximum(low_rad - goal, goal - high_rad).max())
    if beyond > 2e-3:  # a count of the coarsest device
        broken[f"{name} position [rad]"] = beyond
    later = np.searchsorted(time_s, time_s + _STRETCH_S)
    first = np.flatnonzero(later < len(time_s))
    later = later[first]
    speed = np.abs(goal[later] - goal[first]) / (time_s[later] - time_s[first])[:, None]
    excess = float((speed / speed_rad_s).max()) if len(first) else 0.0
    if excess > _SLACK:
        broken[f"{name} speed [share]"] = excess
    return broken
