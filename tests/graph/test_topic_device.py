"""Devices that other ROS 2 drivers run: the real node, against a process that speaks as ros2_control and those drivers do."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import PoseStamped
from processes import emulated
from sensor_msgs.msg import JointState
from solo import solo
from std_msgs.msg import Bool

from tactus_core.errors import ConfigError
from tactus_nodes import convert, convert_seen, topics
from tactus_nodes.guard import GuardNode
from tactus_nodes.topic_device import TopicDevice

HERE = Path(__file__).parent
THEIRS = [f"their_{i}" for i in range(7)]
ARM = {
    "measures": "arm",
    "robot": "stub_robot",
    "joints": f"[{', '.join(THEIRS)}]",
    "states": "/joint_states",
    "controller_manager": "/cell/controller_manager",
    "horizon_s": "0.2",
}
GOAL_RAD = np.array([0.1, -0.2, 0.3, 0.05, 0.15, -0.25, 0.35])


@pytest.fixture(scope="module")
def drivers():
    # The domain of `solo`.
    environment = os.environ | {"ROS_DOMAIN_ID": str(int(os.environ["ROS_DOMAIN_ID"]) % 99 + 1)}
    started = emulated().Steered(str(HERE / "emulated_drivers.py"), environment=environment)
    yield started
    started.close()


@pytest.fixture(scope="module")
def arm(drivers):
    """One node for all that an arm is asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE / "stub")
        with solo(TopicDevice, "arm", **ARM, wrench="/estimator/wrench", says="by_tool", zero_is_unknown="true") as bench:
            assert not bench.node.trouble
            bench.states, bench.holding = bench.hear(topics.ARM_STATES), bench.hear(topics.DEVICE_HOLDING)
            bench.wrenches = bench.hear(topics.WRENCH_RAW)
            yield bench


@pytest.fixture
def stubs(monkeypatch):
    monkeypatch.syspath_prepend(HERE / "stub")


def command_of(names, position_rad):
    message = convert.joint_state(names)
    message.position = convert.joint_array(np.asarray(position_rad, dtype=np.float64))
    return message


def commanded(bench, robot, rad):
    """Command the arm once, as the guard does again and again; return how far it says that it is from there."""
    bench.send(topics.ARM_COMMAND, command_of(robot.arm_joints, rad))
    return abs(np.array(bench.states[-1].position) - rad).max() if bench.states else np.inf


def said(bench):
    return {value.key: value.value for value in bench.node.statuses()[0].values}


def obeys(bench, drivers, robot, *controllers, goal_rad):
    """Make these controllers the active ones, and the arm follow."""
    drivers.tell("switch", *controllers)
    bench.until(lambda: f"/{controllers[0]}/" in said(bench)["commands_to"], f"the {controllers[0]} to be found")
    bench.until(lambda: commanded(bench, robot, goal_rad) < 0.01 and not bench.holding[-1].data, "the arm to follow")


@pytest.mark.usefixtures("stubs")
def test_a_cartesian_controller_gets_the_guards_pose_as_it_is_and_nothing_when_dry(drivers):
    pose = PoseStamped()
    pose.pose.position.x, pose.pose.position.y, pose.pose.position.z = 0.4, 0.1, 0.2
    drivers.tell("switch", "cartesian")
    for dry in (True, False):
        with solo(TopicDevice, "arm", **ARM, poses="true", dry_run=str(dry).lower()) as bench:
            assert set(bench.node.streams) == {"arm/target_pose", "/joint_states"}
            bench.until(
                lambda bench=bench: said(bench)["commands_to"] == "/cell/target_pose" and "no fresh" in bench.node.trouble, "it to be found"
            )
            pose.pose.orientation.w = 0.0  # no rotation at all
            arrived = bench.arrivals(topics.ARM_TARGET)
            bench.send(topics.ARM_TARGET, pose)
            bench.until(arrived, "no pose to arrive")
            assert drivers.tell("state")["pose"] is None
            pose.pose.orientation.w = 1.0
            ticks = bench.node.ticks

            def done(bench=bench, dry=dry, ticks=ticks):
                bench.send(topics.ARM_TARGET, pose)
                return bench.node.ticks > ticks + 20 if dry else drivers.tell("state")["pose"]

            bench.until(done, "the pose to arrive")
            assert drivers.tell("state")["pose"] == (None if dry else [0.4, 0.1, 0.2, 1.0])


@pytest.mark.usefixtures("stubs")
def test_a_hand_takes_joint_states_on_a_topic_and_is_held_where_it_was_measured(drivers, robot):
    places = {"states": "/allegro/joint_states", "commands": "/allegro/joint_cmd"}
    with solo(TopicDevice, "hand", measures="hand", robot="stub_robot", **places) as bench:
        states, holding = bench.hear(topics.HAND_STATES), bench.hear(topics.DEVICE_HOLDING)

        def there():
            bench.send(topics.HAND_COMMAND, command_of(robot.hand_joints, np.full(16, 0.2)))
            return states and states[-1].position.tolist() == [0.2] * 16 and not holding[-1].data

        bench.until(there, "the hand to follow")
        assert not len(states[-1].velocity)
        bench.until(lambda: holding[-1].data, "silence to end in holding")
        assert drivers.tell("state")["hand"] == [0.2] * 16
        bench.until(there, "the hand to follow again")
        seen = drivers.tell("state")["seen"]["hand"]
        bench.node.trigger_deactivate()
        bench.until(lambda: drivers.tell("state")["seen"]["hand"] > seen, "the hand to be held when the node is left")


def test_any_wrench_stamped_is_a_force_sensor_that_obeys_nobody(drivers):
    drivers.tell("feel", 0.0, 0.0, -20.0, 0.0, 0.0, 0.0)
    mounted = {"position_tcp_sensor_m": "[0.0, 0.1, 0.0]", "range_N": "50.0"}
    with solo(TopicDevice, "wrench", measures="wrench", wrench="/estimator/wrench", **mounted) as bench:
        wrenches = bench.hear(topics.WRENCH_RAW)
        bench.until(lambda: wrenches, "a wrench")
        assert convert.wrench_tcp(wrenches[-1]) == pytest.approx([0.0, 0.0, -20.0, -2.0, 0.0, 0.0])
        drivers.tell("feel", 0.0, 0.0, -60.0, 0.0, 0.0, 0.0)
        bench.until(lambda: bench.node.lost > 3 and "/estimator/wrench" in said(bench)["stale"], "what it cannot mean to be left out")
        assert all(each.wrench.force.z == -20.0 for each in wrenches)
    drivers.tell("feel", 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def test_a_camera_of_another_driver_is_retold_in_rgb_and_what_is_late_or_of_another_encoding_is_left_out(drivers):
    seen = {"measures": "camera", "images": "/camera/camera/color/image_raw", "latency_s": "0.05", "state_timeout_s": "0.5"}
    with solo(TopicDevice, "camera", **seen) as bench:
        images, _ = bench.hear(topics.IMAGE), drivers.tell("see", "bgr8", 10, 0.0)
        bench.until(lambda: images, "images")
        assert np.array_equal(convert_seen.image(images[-1]), np.tile(np.uint8([30, 20, 10]), (3, 4, 1)))
        assert not bench.node.trouble
        assert convert.seconds(images[-1].header.stamp) <= drivers.tell("state")["stamp_s"] - 0.05
        for encoding, age_s, level in (("yuv422_yuy2", 0, 11), ("rgb8", 2, 12)):
            drivers.tell("see", encoding, 10, age_s)
            bench.until(lambda lost=bench.node.lost + 5: bench.node.lost > lost, "what cannot be used to be left out")
            drivers.tell("see", "rgb8", level, 0)
            bench.until(lambda level=level: convert_seen.image(images[-1])[0, 0, 0] == level, "what can be used")
        assert {int(convert_seen.image(each)[0, 0, 0]) for each in images} == {30, 11, 12}
        drivers.tell("silence", 60)
        bench.until(lambda: "image_raw" in said(bench)["stale"], "silence to be told")
        drivers.tell("silence", 0)


@pytest.mark.usefixtures("stubs")
def test_names_that_are_not_the_robots_fail_the_start():
    with solo(TopicDevice, "arm", **{**ARM, "joints": "[a, b]"}) as bench:
        assert not bench.node.active
        assert "must rename the 7 joints" in bench.node.trouble


def test_an_arm_that_could_be_commanded_in_two_ways_is_an_error():
    with pytest.raises(ConfigError, match="one of controller_manager and commands"):
        TopicDevice.settings({**ARM, "joints": (), "commands": "/somewhere", "horizon_s": 0.2}, "the test")


def test_the_guard_hears_the_retold_joints_and_notices_a_stranger_who_tells_them_too(robot):
    with solo(GuardNode, "guard", "-r", "joint_states:=arm/joint_states", robot="stub_robot") as bench:
        states = command_of((*robot.arm_joints, *robot.hand_joints), np.zeros(23))
        verdicts = bench.hear(topics.VERDICT)

        def known():
            """Send the joints once, live to the last digit; return whether the guard then knows where the robot is."""
            states.velocity = convert.joint_array(np.full(23, 1e-9 * len(verdicts)))
            bench.send(topics.ARM_STATES, states)
            bench.send(topics.ESTOP, Bool(data=False))
            return verdicts and "state_missing" not in verdicts[-1].reasons

        bench.until(known, "the state to be known")
        stranger = rclpy.create_node("stranger", context=bench.peer.context)
        stranger.create_publisher(JointState, "arm/joint_states", 1)
        bench.until(lambda: not known() and "more than one publisher of joint_states" in bench.node.trouble, "a stranger to be noticed")
        assert "state_missing" in verdicts[-1].reasons
        stranger.destroy_node()


# From here on one node serves all tests: a process has one such node at a time, so those with a node of their own stand above.


def test_states_and_wrench_are_retold_with_the_drivers_stamps_in_our_names_and_signs(arm, drivers, robot):
    drivers.tell("feel", 1.0, -2.0, 3.0, 0.1, 0.2, 0.3)
    bench = arm
    bench.until(lambda: bench.states and bench.wrenches, "the driver to be heard")
    assert bench.states[-1].name == list(robot.arm_joints)
    assert (len(bench.states[-1].velocity), len(bench.states[-1].effort)) == (7, 0)
    asked_s = set()  # the newest itself may be on its way, or lost
    bench.until(
        lambda: asked_s.add(drivers.tell("state")["stamp_s"]) or asked_s & {convert.seconds(each.header.stamp) for each in bench.states},
        "its very stamp",
    )
    assert convert.wrench_tcp(bench.wrenches[-1]) == pytest.approx([-1.0, 2.0, -3.0, -0.1, -0.2, -0.3])
    drivers.tell("feel", *[0.0] * 6)
    lost, count = bench.node.lost, len(bench.states)
    bench.until(lambda: bench.node.lost > lost + 5 and len(bench.states) > count + 5, "zeros that mean nothing to be left out")
    assert all(any(convert.wrench_tcp(each)) for each in bench.wrenches)
    drivers.tell("feel", 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def test_a_trajectory_is_streamed_and_ends_where_the_arm_was_measured(arm, drivers, robot):
    obeys(arm, drivers, robot, "mover", goal_rad=GOAL_RAD)
    there = drivers.tell("state")
    assert there["reach_s"] == pytest.approx(0.2)
    assert there["goal"] == pytest.approx(GOAL_RAD, abs=0.02)
    commanded(arm, robot, GOAL_RAD + 3.0)
    arm.until(lambda: np.array(drivers.tell("state")["goal"]) == pytest.approx(np.array(there["arm"]) + 0.2, abs=0.02), "as much as may be")
    arm.until(lambda: arm.holding[-1].data and "no fresh command" in arm.node.trouble, "silence to end in holding")
    told = drivers.tell("state")
    moved = np.array(told["goal"]) - there["arm"]
    assert (moved < 0.19).all()  # stopped on the way
    before = told["seen"]["mover"]
    count = len(arm.states)
    arm.until(lambda: len(arm.states) > count + 20, "time to pass")
    assert drivers.tell("state")["seen"]["mover"] == before


def test_positions_go_to_a_forwarding_controller_in_its_own_order_and_stop_in_silence(arm, drivers, robot):
    obeys(arm, drivers, robot, "forwarder", goal_rad=-GOAL_RAD)
    assert drivers.tell("state")["arm"] == pytest.approx(-GOAL_RAD)
    commanded(arm, robot, 3.0 - GOAL_RAD)
    arm.until(lambda: drivers.tell("state")["arm"] == pytest.approx(-GOAL_RAD + 0.2), "one step, as far as its speed lets it")
    arm.until(lambda: arm.holding[-1].data, "silence to end in holding")
    told = drivers.tell("state")
    assert told["arm"] == pytest.approx(-GOAL_RAD + 0.2)
    assert told["step_rad"] < 0.201


@pytest.mark.parametrize(
    ("active", "line"),
    [
        (("cartesian",), "--activate mover --deactivate cartesian"),
        (("racer",), "--activate mover --deactivate racer"),
        (("mover", "forwarder"), "--deactivate forwarder"),
        (("nobody",), "--activate mover"),
    ],
)
def test_none_or_several_is_refused_with_the_line_that_helps_and_nothing_is_sent(arm, drivers, robot, active, line):
    drivers.tell("switch", *active)
    arm.until(lambda: line in arm.node.trouble, "the refusal")
    before, refused = drivers.tell("state"), int(said(arm)["refused"])
    arm.until(lambda: commanded(arm, robot, GOAL_RAD) >= 0.0 and int(said(arm)["refused"]) > refused + 5, "commands to be refused")
    after = drivers.tell("state")
    assert (after["seen"], after["arm"]) == (before["seen"], before["arm"])
    assert arm.holding[-1].data


def test_bad_commands_and_a_silent_or_stuck_driver_move_nothing(arm, drivers, robot):
    obeys(arm, drivers, robot, "forwarder", goal_rad=GOAL_RAD)
    arm.until(lambda: arm.holding[-1].data, "silence to end in holding")
    seen, lost = drivers.tell("state")["seen"], arm.node.lost
    for bad in ([np.nan] * 7, [0.1] * 6):
        arrived = arm.arrivals(topics.ARM_COMMAND)
        arm.send(topics.ARM_COMMAND, command_of(robot.arm_joints[: len(bad)], bad))
        arm.until(arrived, "a bad command to arrive")
    assert (arm.node.lost - lost, drivers.tell("state")["seen"]) == (2, seen)
    for words, end in ((("silence", "60"), ("silence", "0")), (("repeat", "1"), ("repeat", "0"))):
        drivers.tell(*words)
        arm.until(lambda: "/joint_states: nothing for" in arm.node.trouble, "the loss of the driver")
        seen, refused = drivers.tell("state")["seen"], int(said(arm)["refused"])
        arm.until(lambda refused=refused: commanded(arm, robot, GOAL_RAD) >= 0.0 and int(said(arm)["refused"]) > refused, "a refusal")
        assert drivers.tell("state")["seen"] == seen
        drivers.tell(*end)
        arm.until(lambda: commanded(arm, robot, GOAL_RAD) < 0.01 and not arm.holding[-1].data, "the arm to follow again")


def test_a_stuck_controller_manager_is_told_and_found_again(arm, drivers, robot):
    obeys(arm, drivers, robot, "mover", goal_rad=GOAL_RAD)
    os.kill(drivers.pid, signal.SIGSTOP)
    try:
        arm.until(lambda: "has not answered" in arm.node.trouble and arm.holding[-1].data, "the manager to be missed")
        assert said(arm)["commands_to"] == ""
    finally:
        os.kill(drivers.pid, signal.SIGCONT)
    obeys(arm, drivers, robot, "mover", goal_rad=-GOAL_RAD)
