"""A robot made of devices, through the shipped launch file: drivers, guard and recorder are real; hand and force sensor are emulated."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from processes import children

from tactus_core.kinematics import Kinematics
from tactus_core.types import Proposal, Target
from tactus_msgs.msg import Proposal as ProposalMsg
from tactus_nodes import convert_tactus, plugins, topics
from tactus_nodes.topics import Topic

LAUNCH_FILE = Path(__file__).parents[2] / "launch" / "robot.launch.xml"
REACH_S = 20.0
ARM_HOLDING = Topic("arm/holding", topics.DEVICE_HOLDING.type, latched=True)
ARM_GOAL = np.array([0.05, -0.04, 0.06, 0.1, 0.0, 0.0, 0.0])
HAND_GOAL = np.full(16, 0.3)


@pytest.fixture
def robot(stubbed, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent / "stub")
    return plugins.find_robot("stub_with_leap")


class Mover:
    """Proposes one posture again and again, as a policy does, and knows how far the robot is from it."""

    def __init__(self, session, robot):
        self._session, self._out = session, session.node.create_publisher(ProposalMsg, topics.PROPOSAL.name, topics.PROPOSAL.qos)
        self._goal = robot.q_home_rad + ARM_GOAL
        self._pose, self._message, self._due_s = Kinematics(robot).tcp_pose(self._goal), ProposalMsg(), 0.0
        self.arm = self.hand = self.verdict = self.arm_holds = None
        session.listen(topics.JOINT_STATES, lambda message: setattr(self, "arm", np.array(message.position)))
        session.listen(topics.HAND_STATES, lambda message: setattr(self, "hand", np.array(message.position)))
        session.listen(topics.VERDICT, lambda message: setattr(self, "verdict", message))
        session.listen(ARM_HOLDING, lambda message: setattr(self, "arm_holds", message.data))

    def until(self, done, what):
        def proposed():
            if time.monotonic() >= self._due_s:
                self._due_s = time.monotonic() + 0.005
                stamp = self._session.node.get_clock().now()
                target = Target(self._pose, HAND_GOAL, self._goal)
                convert_tactus.put_proposal(Proposal(stamp.nanoseconds * 1e-9, "policy", target), stamp.to_msg(), self._message)
                self._out.publish(self._message)
            return done()

        self._session.wait_for(proposed, REACH_S, what)

    def there(self):
        seen = self.arm is not None and self.hand is not None
        return seen and abs(self.arm - self._goal).max() < 0.003 and abs(self.hand - HAND_GOAL).max() < 0.02


def test_it_reaches_through_the_guard_and_the_arm_rests_when_the_hand_is_lost(robot, tmp_path):
    from tactus_cli.launching.session import Launched
    from tactus_nodes.client import GraphSession

    devices = {"arm": "stub_gantry", "arm_mode": "real", "hand": "leap", "wrench": "rdt", "mode": "emulated"}
    arguments = {"robot": robot.name, **devices, "record": "true", "folder": str(tmp_path / "bag"), "realtime": "false", "dry_run": "false"}
    with Launched(LAUNCH_FILE, arguments, folder=tmp_path) as launched, GraphSession(launched.check) as session:
        session.wait_ready()
        mover = Mover(session, robot)
        mover.until(lambda: mover.there() and mover.verdict.state == "running" and not mover.arm_holds, "arm and hand to reach")
        session.tolerate_faults()
        hand = next(running for running in launched.running("device") if "__node:=hand" in running.process.command)
        (emulator,) = children(hand.pid)
        os.kill(emulator, signal.SIGKILL)
        mover.until(lambda: "state_missing" in mover.verdict.reasons and mover.arm_holds, "the arm to rest without its hand")
    assert list((tmp_path / "bag").glob("*.mcap"))
