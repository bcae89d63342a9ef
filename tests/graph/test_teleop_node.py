"""The node that lets a human move the robot, alone, on real topics: who has control, and that nothing is said by those who have not."""

import math
import os
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from geometry_msgs.msg import Point, Pose, PoseArray, PoseStamped
from sensor_msgs.msg import JointState, Joy
from solo import sample, solo

from tactus_cli.commands.teleop import command
from tactus_cli.contract import contract_of
from tactus_core.errors import ConfigError, SetupError
from tactus_core.fingertips import Fingertips
from tactus_core.kinematics import Kinematics
from tactus_hardware.ports import HandState
from tactus_nodes import convert, convert_tactus, topics
from tactus_nodes.device import DeviceNode
from tactus_nodes.measures import measure_of
from tactus_nodes.plugins import find_kind, find_robot
from tactus_nodes.teleop import Teleop

pytestmark = pytest.mark.usefixtures("stubbed")
LAUNCH = Path(__file__).parents[2] / "launch"
# Of a machine that is busy with other tests; what the defaults are stands in the test of the contract.
PATIENT = {"robot": "stub_robot", "input_timeout_s": "0.5", "state_timeout_s": "0.5"}
REST, PUSH = [0.0] * 6, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]


class Robot:
    """A robot that stands still, live to its last digit, and one who tells the node what the human does."""

    def __init__(self, bench, robot):
        self.bench, self.said = bench, bench.hear(topics.PROPOSAL)
        self._robot, self._live = robot, 0.0
        self.T = Kinematics(robot).tcp_pose(robot.q_home_rad)

    def live(self):
        self._live += 1e-9
        (topic, message), *_ = sample(self._robot, time.time())
        message.velocity = convert.joint_array(np.full(len(message.name), self._live))
        self.bench.send(topic, message)

    def until(self, done, what, *words):
        """Say these words of the human, as (topic, message), again and again while the robot lives, until `done()`."""

        def again():
            self.live()
            for topic, message in words:
                message.header.stamp = self.bench.node.stamp()
                self.bench.send(topic, message)
            return done()

        self.bench.until(again, what)

    def says_in_vain(self, *words):
        """Say these words ten times; the node must say nothing."""
        self.said.clear()
        enough = self.bench.node.ticks + 10
        self.until(lambda: self.bench.node.ticks >= enough, "the words to be heard", *words)
        assert not self.said

    def takes_control(self, *words):
        """Let go and press, as (loose, pressed) of each topic, until that is answered; return the first proposal."""
        self.said.clear()
        loose, pressed = zip(*words, strict=True)
        self.until(lambda: any(not said.release for said in self.said), "control", *loose, *pressed)
        enough = self.bench.node.ticks + 10
        self.until(lambda: self.bench.node.ticks >= enough, "all of that to be heard", *pressed)
        return convert_tactus.proposal(next(said for said in self.said if not said.release))


def joy(topic, axes, button, count=1):
    return topic, Joy(axes=axes, buttons=[0] * (count - 1) + [button])


def test_a_held_button_moves_letting_go_gives_back_and_silence_does_neither(robot):
    def puck(axes, button):
        return joy(topics.SPACENAV, axes, button)

    with solo(Teleop, "teleop", **PATIENT, input="spacenav") as bench:
        human = Robot(bench, robot)
        human.says_in_vain(puck(PUSH, 1))  # a button that was never seen open
        human.says_in_vain(puck(PUSH, 0))
        first = human.takes_control((puck(REST, 0), puck(PUSH, 1)))
        assert (first.source, first.release) == ("human", False)
        assert first.target.hand_rad is None
        assert first.target.T_base_tcp == pytest.approx(human.T, abs=1e-6)

        def ahead_m():
            return np.linalg.norm(convert_tactus.proposal(human.said[-1]).target.T_base_tcp[:3, 3] - human.T[:3, 3])

        human.until(lambda: ahead_m() > 0.029, "the target to move", puck(PUSH, 1))
        assert ahead_m() <= 0.0301, "it never runs away from a robot that does not follow"
        human.until(lambda: human.said[-1].release, "control to be given back", puck(REST, 0))
        human.takes_control((puck(REST, 0), puck(PUSH, 1)))
        human.until(lambda: "nothing for" in bench.node.trouble, "silence to end control")
        human.says_in_vain(puck(PUSH, 1))
        human.says_in_vain(puck(REST, 0))  # whoever lost control cannot give it back any more


def test_a_push_alone_takes_control_where_it_may_and_buttons_move_the_hand_and_mark(robot):
    def puck(axes, *buttons):
        return topics.SPACENAV, Joy(axes=axes, buttons=buttons)

    buttons = {"close_button": "0", "mark_buttons": "[-1,1]"}
    with solo(Teleop, "teleop", **PATIENT, input="spacenav", take_by="motion", **buttons) as bench:
        human, marks = Robot(bench, robot), bench.hear(topics.MARK)
        human.says_in_vain(puck(PUSH, 0, 0))  # it was never seen at rest
        human.until(lambda: not bench.node._deliberate._held, "rest", puck(REST, 0, 0))
        human.until(lambda: human.said and not human.said[-1].release, "control", puck(PUSH, 0, 0))
        assert not human.said[-1].hand_target_rad, "the hand is left as it is"
        human.until(lambda: sum(human.said[-1].hand_target_rad) > 0.0, "the hand to close", puck(PUSH, 1, 0))
        human.until(lambda: marks, "a mark", puck(PUSH, 0, 1))
        assert [mark.kind for mark in marks] == ["success"]
        human.until(lambda: human.said[-1].release, "control to be given back", puck(REST, 0, 0))
    with pytest.raises(ConfigError, match="always in motion"):
        Teleop.settings({"robot": "stub_robot", "input": "pose", "take_by": "motion"}, "the test")


def test_a_word_that_is_no_reading_ends_control_without_giving_it_back(robot):
    with solo(Teleop, "teleop", **PATIENT, input="spacenav") as bench:
        human = Robot(bench, robot)
        for count, bad in enumerate(([math.nan] * 6, [0.0] * 5, []), start=1):
            human.takes_control((joy(topics.SPACENAV, REST, 0), joy(topics.SPACENAV, PUSH, 1)))
            bench.send(*joy(topics.SPACENAV, bad, 1))
            bench.until(lambda count=count: bench.node.lost == count, "the word")
            assert "axes" in bench.node.trouble
            human.says_in_vain(joy(topics.SPACENAV, PUSH, 1))


def test_control_ends_with_the_knowledge_of_where_the_robot_is(robot):
    with solo(Teleop, "teleop", **PATIENT, input="spacenav") as bench:
        human = Robot(bench, robot)
        human.takes_control((joy(topics.SPACENAV, REST, 0), joy(topics.SPACENAV, PUSH, 1)))

        def pushed_on():
            bench.send(*joy(topics.SPACENAV, PUSH, 1))
            return "state is not known" in bench.node.trouble

        bench.until(pushed_on, "the state to be missed")
        assert not human.said[-1].release


def test_a_gamepads_axes_and_button_are_those_that_are_configured(robot):
    with solo(Teleop, "teleop", **PATIENT, input="joy", axes="[-1,-1,0,-1,-1,-1]", dead_man_button="2") as bench:
        human = Robot(bench, robot)
        pushed = joy(topics.JOY, [-1.0], 1, 3)
        human.takes_control((joy(topics.JOY, [0.0], 0, 3), pushed))
        human.until(lambda: human.said[-1].tcp_target.position.z < human.T[2, 3] - 0.02, "the target to go down", pushed)
        assert human.said[-1].tcp_target.position.x == pytest.approx(human.T[0, 3], abs=1e-6), "axes that are not used move nothing"


def test_a_tracked_hand_moves_the_tcp_with_the_switch_on_a_gamepad(robot):
    def hand(y, w=1.0):
        message = PoseStamped()
        message.pose.position.y, message.pose.orientation.w = y, w
        return topics.HAND_POSE, message

    def switch(button):
        return joy(topics.JOY, [], button, 5)

    with solo(Teleop, "teleop", **PATIENT, input="pose") as bench:
        human = Robot(bench, robot)
        first = human.takes_control((hand(3.0), hand(3.0)), (switch(0), switch(1)))
        assert first.target.T_base_tcp == pytest.approx(human.T, abs=1e-6)
        human.until(lambda: human.said[-1].tcp_target.position.y > human.T[1, 3] + 0.019, "the tcp to follow", hand(3.02), switch(1))
        human.until(lambda: "unit quaternion" in bench.node.trouble, "what is no pose to end control", hand(3.02, 0.0), switch(1))


def test_a_tracked_hands_fingertips_are_followed_and_missed(stubbed):
    robot = find_robot("panda_allegro")
    wrist, resting = PoseStamped(), robot.hand_rest_rad
    wrist.pose.orientation.w = 1.0

    def said(tips_m, button):
        points = [Pose(position=Point(x=x, y=y, z=z)) for x, y, z in tips_m]
        return (topics.HAND_POSE, wrist), (topics.HAND_TIPS, PoseArray(poses=points)), joy(topics.JOY, [], button, 5)

    tips = Fingertips(robot)
    human_m, closed_m = tips.positions(resting), tips.positions(np.clip(resting + 0.15, tips.low_rad, tips.high_rad))
    assert np.linalg.norm(closed_m - human_m, axis=1).min() > 0.01
    with solo(Teleop, "teleop", **PATIENT | {"robot": robot.name}, input="hand") as bench:
        human = Robot(bench, robot)
        first = human.takes_control(*zip(said(human_m, 0), said(human_m, 1), strict=True))
        assert first.target.hand_rad is None or first.target.hand_rad == pytest.approx(resting, abs=1e-6)
        steps = iter(np.linspace(0.0, 1.0, 50))

        def closing():
            human.until(lambda: True, "a word", *said(human_m + next(steps, 1.0) * (closed_m - human_m), 1))
            q = np.array(human.said[-1].hand_target_rad)
            return np.linalg.norm(tips.positions(q) - closed_m, axis=1).max() < 2e-3

        bench.until(closing, "the fingers to close")
        human.until(lambda: "teleop/fingertips: nothing for" in bench.node.trouble, "fingertips to be missed", *said(closed_m, 1)[::2])


def test_a_leader_arm_is_refused_until_it_stands_as_the_robot_does(robot):
    def leader(apart):
        message = JointState(name=[f"leader_{i}" for i in range(8)])
        message.position = convert.joint_array(np.append(robot.q_home_rad + apart, 0.5))
        return topics.LEADER_STATES, message

    def switch(button):
        return joy(topics.JOY, [], button, 5)

    with solo(Teleop, "teleop", **PATIENT, input="leader", command="joints", leader_sign=str([1.0] * 7)) as bench:
        human = Robot(bench, robot)
        human.until(lambda: "stands +0.50 rad" in bench.node.trouble, "a refusal", leader(0.5), switch(0), switch(1))
        human.says_in_vain(leader(0.5), switch(1))
        first = human.takes_control((leader(0.05), leader(0.05)), (switch(0), switch(1)))
        assert first.target.arm_rad == pytest.approx(robot.q_home_rad, abs=1e-6)
        human.until(lambda: human.said[-1].arm_target_rad[3] > robot.q_home_rad[3] + 0.049, "the arm to follow", leader(0.05), switch(1))


def test_each_input_has_its_own_contract():
    for name, heard in {
        "keyboard": {"keyboard/joy"},
        "pose": {"teleop/pose", "joy"},
        "hand": {"teleop/pose", "teleop/fingertips", "joy"},
        "leader": {"leader/joint_states", "joy"},
    }.items():
        config = Teleop.settings({"robot": "stub_robot", "input": name}, "the test")
        declared = {declaration.topic.name: declaration.max_age_s(config) for declaration in Teleop.inputs_of(config)}
        assert declared == {"joint_states": 0.05, "hand/joint_states": math.inf, "verdict": math.inf} | dict.fromkeys(heard, 0.2)


def test_the_shipped_launch_files_command_an_arm_as_its_device_wants_it():
    robot = {"robot": "stub_robot", "arm": "rdt", "hand": "leap", "mode": "emulated", "teleop": "spacenav", "teleop_device": "spacemouse"}
    rows = {(row.node, row.topic): row for row in contract_of(LAUNCH / "robot.launch.xml", robot | {"teleop_mode": "emulated"})}
    assert rows["teleop", "hand/joint_states"].max_age_s == 0.05
    assert rows["teleop", "spacenav/joy"].max_age_s == 0.2


def test_the_keys_of_a_terminal_move_until_they_no_longer_repeat_and_the_terminal_is_left_as_it_was(robot):
    with solo(Teleop, "teleop", **PATIENT, input="keyboard") as bench:
        human = Robot(bench, robot)
        master, slave = os.openpty()
        before = termios.tcgetattr(slave)
        environment = os.environ | {"ROS_DOMAIN_ID": str(int(os.environ["ROS_DOMAIN_ID"]) % 99 + 1)}  # that of the bench
        panel = subprocess.Popen([sys.executable, "-m", "tactus_cli", "teleop"], stdin=slave, stdout=slave, stderr=slave, env=environment)

        def types(key, done):
            os.write(master, key)
            if select.select([master], [], [], 0.0)[0]:
                os.read(master, 65536)  # a terminal that nobody reads is full after a few pictures: the panel would wait for us
            return done()

        try:
            human.until(lambda: types(b"", lambda: not bench.node.stale()), "the keyboard to be heard")
            human.until(lambda: types(b"a", lambda: human.said and human.said[-1].tcp_target.position.y > human.T[1, 3] + 0.01), "a move")
            human.until(lambda: types(b"", lambda: human.said[-1].release), "keys that no longer repeat to give control back")
            panel.send_signal(signal.SIGINT)
            human.until(lambda: types(b"", lambda: panel.poll() is not None), "the end of the panel")
            assert panel.returncode == 130
            assert termios.tcgetattr(slave) == before
        finally:
            panel.kill()
            panel.wait()
            os.close(master)
            os.close(slave)


def test_without_a_terminal_there_are_no_keys():
    with pytest.raises(SetupError, match="needed, and this is none"):
        CliRunner().invoke(command, catch_exceptions=False)


def test_a_device_is_heard_where_the_node_listens(emulate):
    """A 3D mouse and a leader arm, by the node that runs any device."""
    emulator = emulate("spacemouse")
    with solo(DeviceNode, "teleop_device", device="spacemouse", address=emulator.address["socket"]) as bench:
        words = bench.hear(topics.SPACENAV)
        bench.until(lambda: "Move it once" in bench.node.trouble, "the puck to be waited for")
        emulator.tell("set", "push", 0.5, 0, 0, 0, 0, -1)

        def pressed():
            emulator.tell("set", "button", 1, 1)  # again: what waits too long is not believed
            return words and words[-1].buttons[1]

        bench.until(pressed, "the puck")
        assert words[-1].axes.tolist() == pytest.approx([0.5, 0, 0, 0, 0, -1], abs=0.02)
    ((topic, make),) = measure_of(find_kind("gello")).outputs
    message = make(HandState(np.zeros(6), *[np.full(6, np.nan)] * 3), find_kind("gello").joints, convert.to_stamp(1.0))
    assert (topic, list(message.name)) == (topics.LEADER_STATES, [f"servo_{number}" for number in range(1, 7)])
    assert message.position.tolist() == [0.0] * 6
