"""The node that simulates a whole robot: what it publishes and obeys in the place of the drivers."""

import numpy as np
import pytest
from solo import solo

from tactus_nodes import convert, plugins, topics
from tactus_nodes.sim_robot import SimRobotNode

ROBOT = plugins.find_robot("ur5e_inspire")


def command_of(names, position_rad):
    message = convert.joint_state(names)
    message.position = convert.joint_array(np.asarray(position_rad, dtype=np.float64))
    return message


@pytest.fixture
def bench(tmp_path):
    with solo(SimRobotNode, "sim_robot", robot=ROBOT.name, goal_logs=tmp_path) as bench:
        yield bench


def test_arm_and_hand_follow_by_name_hold_in_silence_and_note_what_they_were_asked_for(bench, tmp_path):
    arm, hand, wrench = map(bench.hear, (topics.JOINT_STATES, topics.HAND_STATES, topics.WRENCH_RAW))
    holding = bench.hear(topics.ARM_HOLDING)
    goal, grip = ROBOT.q_home_rad + 0.05, ROBOT.hand_grip_rad

    def there():
        bench.send(topics.ARM_COMMAND, command_of(ROBOT.arm_joints[::-1], goal[::-1]))
        bench.send(topics.HAND_COMMAND, command_of(ROBOT.hand_joints, grip))
        near = arm and hand and np.abs(np.array(arm[-1].position) - goal).max() < 0.002
        return near and np.abs(np.array(hand[-1].position) - grip).max() < 0.002

    bench.until(there, "arm and hand to follow")
    assert tuple(arm[-1].name) == tuple(ROBOT.arm_joints)
    assert tuple(hand[-1].name) == tuple(ROBOT.hand_joints)
    assert wrench[-1].header.frame_id == "tcp"
    assert not holding[-1].data
    bench.until(lambda: holding[-1].data and "no fresh command" in bench.node.trouble, "silence to end in holding")
    np.testing.assert_allclose(np.loadtxt(tmp_path / "arm.txt", ndmin=2)[-1, 1:], goal)
    np.testing.assert_allclose(np.loadtxt(tmp_path / "hand.txt", ndmin=2)[-1, 1:], grip)


def test_no_bad_command_moves_it(bench, tmp_path):
    names = ROBOT.arm_joints
    for message in (command_of(names, [np.nan] * 6), command_of(names[:-1], [0.3] * 5), command_of(["other"] * 6, [0.3] * 6)):
        arrived = bench.arrivals(topics.ARM_COMMAND)
        bench.send(topics.ARM_COMMAND, message)
        bench.until(arrived, "a command to arrive")
    bench.until(lambda: bench.node.lost >= 3, "all of them to be counted")
    assert not (tmp_path / "arm.txt").read_text()
    assert "no fresh command" in bench.node.trouble
