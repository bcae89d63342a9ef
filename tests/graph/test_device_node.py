"""The one node that runs any device: its real drivers against emulators, and kinds that no driver has yet against stubs."""

import os
import signal
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from processes import children
from solo import PATIENCE_S, solo
from std_msgs.msg import Bool

from tactus_cli.contract import contract_of
from tactus_core.errors import ConfigError, SetupError
from tactus_nodes import convert, convert_seen, plugins, topics
from tactus_nodes.device import DeviceNode, DeviceNodeConfig
from tactus_nodes.guard import GuardNode

ROOT = Path(__file__).parents[2]


@pytest.fixture
def stubs(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tests" / "graph" / "stub")


def command_of(names, position_rad):
    message = convert.joint_state(names)
    message.position = convert.joint_array(np.asarray(position_rad, dtype=np.float64))
    return message


def leap_at(bench, states, rad):
    """Command the hand again and again, as the guard does; return whether it says that it is there."""
    bench.send(topics.HAND_COMMAND, command_of(plugins.find_kind("leap").joints, np.full(16, rad)))
    return states and states[-1].position and abs(np.array(states[-1].position) - rad).max() < 0.01


def said(bench):
    return {value.key: value.value for value in bench.node.statuses()[0].values}


def test_a_hand_moves_by_name_holds_in_silence_and_is_left_without_torque(emulate):
    emulator = emulate("leap")
    with solo(DeviceNode, "hand", device="leap", address=emulator.address["port"]) as bench:
        assert not bench.node.trouble
        assert set(bench.node.streams) == {topics.HAND_COMMAND.name}
        states, holding = bench.hear(topics.HAND_STATES), bench.hear(topics.DEVICE_HOLDING)
        bench.until(lambda: leap_at(bench, states, 0.2), "the hand to follow")
        assert tuple(states[-1].name) == plugins.find_kind("leap").joints
        assert abs(convert.seconds(states[-1].header.stamp) - bench.node.now_s()) < 1.0
        bench.until(lambda: holding and not holding[-1].data, "the hand to obey")
        bench.until(lambda: holding[-1].data and "no fresh command" in bench.node.trouble, "silence to end in holding")
        assert np.allclose(emulator.tell("state")["goal_rad"], 0.2, atol=0.01)
        told = said(bench)
        assert told["connected"] == "True"
        assert int(told["readings"]) > 0
        assert float(told["rate_Hz"]) > 0
        bench.node.trigger_deactivate()
        assert emulator.tell("state")["torque"] == [0] * 16


def test_no_bad_command_reaches_a_hand_and_none_at_all_when_dry(emulate):
    emulator = emulate("leap")
    names = plugins.find_kind("leap").joints
    before = emulator.tell("state")["goal_rad"]
    bad = [command_of(names, [np.nan] * 16), command_of(names[:-1], [0.3] * 15), command_of(["other"] * 16, [0.3] * 16)]
    for dry, messages in ((False, bad), (True, [command_of(names, [0.3] * 16)])):
        with solo(DeviceNode, "hand", device="leap", address=emulator.address["port"], dry_run=str(dry).lower()) as bench:
            for message in messages:
                arrived = bench.arrivals(topics.HAND_COMMAND)
                bench.send(topics.HAND_COMMAND, message)
                bench.until(arrived, "a command to arrive")
            ticks = bench.node.ticks
            bench.until(lambda ticks=ticks, bench=bench: bench.node.ticks > ticks + 5, "five more readings")
            assert bench.node.lost == (0 if dry else len(bad))
            assert np.allclose(emulator.tell("state")["goal_rad"], before, atol=0.002)


def test_a_pulled_cable_is_told_and_the_hand_obeys_again_when_it_is_back(emulate):
    emulator = emulate("leap")
    with solo(DeviceNode, "hand", device="leap", address=emulator.address["port"]) as bench:
        states, holding = bench.hear(topics.HAND_STATES), bench.hear(topics.DEVICE_HOLDING)
        bench.until(lambda: leap_at(bench, states, 0.1), "the hand to follow")
        emulator.tell("disconnect", 0.5)
        bench.until(lambda: not leap_at(bench, [], 0.3) and said(bench)["connected"] == "False" and holding[-1].data, "the loss to be told")
        bench.until(lambda: "LEAP hand" in bench.node.trouble, "the node to say so")
        bench.until(lambda: leap_at(bench, states, 0.3) and not holding[-1].data, "the hand to follow again")
        assert int(said(bench)["connections"]) >= 2


def test_a_force_sensor_gives_the_wrench_on_the_tool_with_rising_stamps(emulate):
    emulator = emulate("rdt")
    emulator.tell("set", "wrench", 0, 0, -20, 0, 0, 0)
    with solo(DeviceNode, "force", device="rdt", **emulator.address) as bench:
        wrenches = bench.hear(topics.WRENCH_RAW)
        bench.until(lambda: len(wrenches) >= 100, "a hundred readings")
        assert not bench.node.streams  # it obeys nobody
        assert {wrench.header.frame_id for wrench in wrenches} == {"tcp"}
        assert np.mean([wrench.wrench.force.z for wrench in wrenches]) == pytest.approx(-20.0, abs=0.1)
        stamps_s = [convert.seconds(wrench.header.stamp) for wrench in wrenches]
        assert all(np.diff(stamps_s) > 0)


def test_a_hand_that_feels_tells_its_joints_and_its_touch(emulate):
    emulator = emulate("inspire")
    with solo(DeviceNode, "hand", device="inspire", touch_rows="14", **emulator.address) as bench:
        states, clouds = bench.hear(topics.HAND_STATES), bench.hear(topics.TAXELS_RAW)
        bench.until(lambda: len(clouds) >= 2 and len(states) > len(clouds), "its touch, less often than its joints")
        assert [field.name for field in clouds[-1].fields] == ["x", "y", "z", "vx_counts", "vy_counts", "vz_counts"]
        assert np.frombuffer(clouds[-1].data, "<f4").reshape(-1, 6).shape[0] == 1062
        stamps_s = [convert.seconds(cloud.header.stamp) for cloud in clouds]
        assert all(np.diff(stamps_s) > 0)


@pytest.mark.usefixtures("stubs")
def test_kinds_that_no_driver_has_plug_in():
    with solo(DeviceNode, "arm", device="stub_arm") as bench:
        states, wrenches = bench.hear(topics.JOINT_STATES), bench.hear(topics.WRENCH_RAW)

        def there():
            bench.send(topics.ARM_COMMAND, command_of(("stub_2", "stub_1"), [0.2, 0.1]))
            return states and states[-1].position.tolist() == [0.1, 0.2]

        bench.until(there, "the arm to follow")
        assert not len(states[-1].velocity)  # not measured: left out, not NaN
        assert wrenches[-1].wrench.force.z == -5.0
    with solo(DeviceNode, "skin", device="stub_taxels") as bench:
        clouds = bench.hear(topics.TAXELS_RAW)
        bench.until(lambda: clouds, "taxels")
        assert [field.name for field in clouds[0].fields] == ["x", "y", "z", "vx_uT", "vy_uT", "vz_uT"]
        assert np.frombuffer(clouds[0].data, "<f4").reshape(2, 6)[:, 3:].tolist() == [[0, 1, 2], [3, 4, 5]]
    with solo(DeviceNode, "gel", device="stub_image") as bench:
        images = bench.hear(topics.TOUCH_IMAGE)
        bench.until(lambda: images, "an image")
        assert convert_seen.image(images[0]).shape == (2, 3, 3)


@pytest.mark.usefixtures("stubs")
@pytest.mark.parametrize(
    ("parameters", "error", "said"),
    [
        ({}, ConfigError, "'device' is missing"),
        ({"device": "lepa"}, ConfigError, "installed: allegro"),
        ({"device": "recording"}, ConfigError, "has a driver"),
        ({"device": "stub_smell"}, ConfigError, "measures 'smell'"),
        ({"device": "stub_broken"}, SetupError, "requirements/hardware.txt"),
        ({"device": "leap"}, ConfigError, "needs port"),
        ({"device": "leap", "address": "/dev/null", "current_limit": 0.3}, ConfigError, "current_limit_A"),
        ({"device": "leap", "address": "/dev/null", "current_limit_A": 9.0}, ConfigError, "at most 1.75"),
    ],
)
def test_what_cannot_be_run_says_why(parameters, error, said):
    with pytest.raises(error, match=said):
        DeviceNode.inputs_of(DeviceNode.settings(parameters, "the test"))


@pytest.mark.usefixtures("stubs")
def test_a_device_that_is_not_there_fails_the_start_and_a_driver_that_breaks_ends_the_process():
    with solo(DeviceNode, "arm", device="stub_arm", address="nowhere") as bench:
        assert not bench.node.active
        assert "Plug it in" in bench.node.trouble
    with solo(DeviceNode, "arm", device="stub_arm", address="fragile") as bench, pytest.raises(ZeroDivisionError):
        bench.until(lambda: False, "the driver's mistake")


@pytest.mark.parametrize("name", [name for name in plugins.names("tactus.devices") if name != "recording"])
def test_every_kind_can_be_run_and_its_driver_shares_no_parameter_with_the_node(name):
    kind = plugins.find_kind(name)
    assert not {f.name for f in fields(kind.config)} & {f.name for f in fields(DeviceNodeConfig)}
    assert kind.address
    config = DeviceNode.settings({"device": name, "mode": "emulated"}, "the test")
    assert len(DeviceNode.inputs_of(config)) == (kind.measures in ("hand", "arm"))


def test_the_contract_of_a_robot_names_each_devices_own_command():
    arguments = {"robot": "panda_allegro", "arm": "rdt", "hand": "leap", "wrench": "ft300", "mode": "emulated"}
    rows = {(row.node, row.topic): row for row in contract_of(ROOT / "launch" / "robot.launch.xml", arguments)}
    assert {topic for node, topic in rows if node == "hand"} == {"hand/joint_cmd"}
    assert rows["hand", "hand/joint_cmd"].max_age_s == 0.1
    assert not any(node in ("arm", "wrench") for node, _ in rows)  # sensors obey nobody
    assert rows["guard", "hand/joint_states"].max_age_s == 0.05
    arguments = {"robot": "panda_allegro", "arm": "ur", "hand": "inspire", "mode": "real"}  # nobody has said where they are yet
    assert ("arm", "arm/joint_cmd") in {(row.node, row.topic) for row in contract_of(ROOT / "launch" / "robot.launch.xml", arguments)}


def test_the_shipped_launch_file_runs_an_emulated_hand_which_dies_with_its_node(tmp_path):
    from tactus_cli.launching.session import Launched
    from tactus_nodes.client import GraphSession

    arguments = {"device": "leap", "mode": "emulated", "record": "true", "folder": str(tmp_path / "bag"), "restart": "false"}
    states = []
    with Launched(ROOT / "launch" / "device.launch.xml", arguments, folder=tmp_path) as launched, GraphSession(launched.check) as session:
        session.wait_ready()
        session.listen(topics.HAND_STATES, states.append)
        session.wait_for(lambda: len(states) > 20, PATIENCE_S, "joint states")
        session.tolerate_faults()
        node = launched.running("device")[0].pid
        (emulator,) = children(node)
        os.kill(node, signal.SIGKILL)
        session.wait_for(lambda: not Path(f"/proc/{emulator}").exists(), PATIENCE_S, "the emulator to end with its node")
    assert "EMULATED" in launched.running("device")[0].log.read_text()
    assert list((tmp_path / "bag").glob("*.mcap"))


@pytest.mark.usefixtures("stubbed")
def test_the_guard_knows_a_robot_of_two_devices_only_while_both_speak(robot):
    with solo(GuardNode, "guard", robot="stub_robot", hand_apart="true") as bench:
        verdicts = bench.hear(topics.VERDICT)
        arm, hand = command_of(robot.arm_joints, robot.q_home_rad), command_of(robot.hand_joints, robot.hand_rest_rad)
        whole = command_of((*robot.arm_joints, *robot.hand_joints), np.concatenate([robot.q_home_rad, robot.hand_rest_rad]))
        live = 0.0

        def known(*messages):
            """Send these once, each arm live to its last digit; return whether the guard then knows where the robot is."""
            nonlocal live
            live += 1e-9
            bench.send(topics.ESTOP, Bool(data=False))
            for topic, message in messages:
                if topic is topics.JOINT_STATES:
                    message.velocity = convert.joint_array(np.full(len(message.name), live))
                bench.send(topic, message)
            return verdicts and "state_missing" not in verdicts[-1].reasons

        both = ((topics.JOINT_STATES, arm), (topics.HAND_STATES, hand))
        bench.until(lambda: known(*both), "the state to be known")
        lacking = {"hand": both[:1], "arm": both[1:], "hand, whose joints the arm's device tells": ((topics.JOINT_STATES, whole),)}
        for name, messages in lacking.items():
            bench.until(lambda messages=messages: not known(*messages), f"the {name} to be missed")
            bench.until(lambda: known(*both), "the state to be known again")
        half = command_of(robot.hand_joints[:-1], robot.hand_rest_rad[:-1])
        bench.until(lambda: not known(both[0], (topics.HAND_STATES, half)), "a hand without a finger to be missed")
        assert verdicts[-1].state != "running"
