"""The shipped launch files: who is restarted, and that all that moves the robot is critical."""

import os
from pathlib import Path

import pytest
import yaml

from tactus_cli.launching import plan

LAUNCH = Path(__file__).parents[2] / "launch"
POLICY = {"perception", "fast_policy", "slow_policy"}
MOVERS = {"perception", "guard", "fast_policy", "slow_policy"}


BY_TOPICS = {"robot": "r", "arm": "topics", "arm_profile": "ur", "hand": "topics", "hand_profile": "allegro", "wrench": "topics"}


def node_name(process):
    (name,) = (word.partition(":=")[2] for word in process.command if word.startswith("__node:="))
    return name


@pytest.mark.parametrize(
    ("file", "arguments", "critical"),
    [
        (
            "sim.launch.xml",
            {"joystick": "true", "record": "true", "teleop": "spacenav", "teleop_device": "spacemouse", "encoder": "e"},
            MOVERS | {"sim_device", "sim_camera", "joy_panel"},
        ),
        ("replay.launch.xml", {"source": "recording", "record": "true", "encoder": "e"}, MOVERS | {"replay_device"}),
        ("device.launch.xml", {"device": "leap", "record": "true"}, {"device"}),
        ("device.launch.xml", {"device": "topics", "profile": "realsense", "record": "true", "encoder": "e"}, {"device"}),
        (
            "robot.launch.xml",
            {"robot": "r", "arm": "ur", "hand": "leap", "wrench": "rdt", "joystick": "true", "record": "true", "teleop": "leader"},
            {"arm", "hand", "wrench", "touch_monitor", "guard", "joy_panel"},
        ),
        ("teleop.launch.xml", {}, MOVERS | {"sim_device", "sim_camera"}),
        ("record.launch.xml", {"ring_s": "30.0"}, MOVERS | {"sim_device", "sim_camera"}),
        ("learn.launch.xml", {}, MOVERS | {"sim_device", "sim_camera"}),
        (
            "record.launch.xml",
            {"mode": "real", "robot": "ur5e_leap_netft", "take_by": "motion"},
            {"arm", "hand", "wrench", "touch_monitor", "guard"},
        ),
        ("robots/ur5e_leap_netft.launch.xml", {"record": "true"}, {"arm", "hand", "wrench", "touch_monitor", "guard"}),
        ("robots/ur5e_inspire.launch.xml", {"record": "true"}, {"arm", "hand", "touch_monitor", "guard"}),
        ("robots/ur5e_robotiq_ft300.launch.xml", {"record": "true"}, {"arm", "hand", "wrench", "touch_monitor", "guard"}),
        ("robots/so101.launch.xml", {"record": "true"}, {"arm", "touch_monitor", "guard"}),
        (
            "robots/so101.launch.xml",
            {"policy": "mine", "camera": "uvc", "camera_address": "/dev/video0", "encoder": "e"},
            {"arm", "touch_monitor", "guard", "camera", *POLICY},
        ),
        (
            "robots/so101.launch.xml",
            {
                "policy": "mine",
                "camera": "uvc",
                "camera_address": "/dev/video0",
                "second_camera": "uvc",
                "second_camera_address": "/dev/video2",
            },
            {"arm", "touch_monitor", "guard", "camera", "second_camera", *POLICY},
        ),
        (
            "robots/ur5e_inspire.launch.xml",
            {"policy": "mine", "camera": "topics", "camera_profile": "realsense", "swap": "true"},
            {"arm", "hand", "touch_monitor", "guard", "camera", *POLICY},
        ),
        ("robot.launch.xml", BY_TOPICS, {"arm", "hand", "wrench", "touch_monitor", "guard"}),
        ("robots/ur5e_leap_netft.launch.xml", {"mode": "sim", "record": "true"}, {"sim_robot", "touch_monitor", "guard"}),
        ("robots/franka_allegro.launch.xml", {"mode": "emulated", "record": "true"}, {"arm", "hand", "touch_monitor", "guard"}),
        ("robots/franka_allegro.launch.xml", {"mode": "sim", "record": "true"}, {"sim_robot", "touch_monitor", "guard"}),
    ],
)
def test_all_but_the_supervisor_are_restarted_three_times_and_managed(file, arguments, critical, tmp_path):
    steps = plan.make(LAUNCH / file, arguments, os.environ, tmp_path)
    supervisor, *others = steps
    assert not supervisor.respawn
    assert supervisor.shutdown_on_exit
    assert {(step.respawn, step.respawn_delay_s, step.respawn_max_retries) for step in others} == {(True, 0.5, 3)}
    values = {}
    for path in tmp_path.glob("parameters-1*"):
        for node in yaml.safe_load(path.read_text()).values():
            values |= node["ros__parameters"]
    assert sorted(values["managed"]) == sorted(node_name(step) for step in others)
    assert set(values["critical"]) == critical


@pytest.mark.parametrize(
    "arguments",
    [
        ("device.launch.xml", {"device": "leap"}),
        ("robot.launch.xml", {"robot": "r", "arm": "ur", "hand": "leap"}),
        ("teleop.launch.xml", {"robot": "ur5e_leap_netft"}),
        *((f"robots/{file.name}", {}) for file in sorted((LAUNCH / "robots").glob("*.launch.xml"))),
        ("robot.launch.xml", BY_TOPICS),
    ],
)
@pytest.mark.parametrize("mode", ["real", "emulated"])
def test_nothing_moves_on_hardware_until_somebody_says_so(arguments, mode, tmp_path):
    file, given = arguments
    plan.make(LAUNCH / file, {**given, "mode": mode}, os.environ, tmp_path)
    nodes = [node["ros__parameters"] for path in tmp_path.glob("parameters-*") for node in yaml.safe_load(path.read_text()).values()]
    dry = [parameters["dry_run"] for parameters in nodes if "dry_run" in parameters]
    assert dry
    assert all(value is True for value in dry)


def test_an_arm_that_is_led_speaks_apart_from_the_robots(tmp_path):
    given = {"robot": "r", "arm": "ur", "teleop": "leader", "teleop_device": "so101"}
    (leader,) = (step for step in plan.make(LAUNCH / "robot.launch.xml", given, os.environ, tmp_path) if node_name(step) == "teleop_device")
    assert {"joint_states:=leader/joint_states", "arm/joint_cmd:=leader/joint_cmd", "device/holding:=leader/holding"} <= set(leader.command)


def test_a_simulated_robot_speaks_where_the_real_one_does(tmp_path):
    steps = plan.make(LAUNCH / "robots" / "franka_allegro.launch.xml", {"mode": "sim"}, os.environ, tmp_path)
    (robot,) = (step for step in steps if node_name(step) == "sim_robot")
    assert "joint_states:=arm/joint_states" in robot.command
    assert not {"arm", "hand", "wrench"} & {node_name(step) for step in steps}


def test_without_teleoperation_nothing_of_it_is_started(tmp_path):
    steps = plan.make(LAUNCH / "sim.launch.xml", {"teleop_device": "spacemouse"}, os.environ, tmp_path)
    assert not {"teleop", "teleop_device"} & {node_name(step) for step in steps}


def test_two_cameras_are_heard_apart(tmp_path):
    addresses = {"camera_address": "/dev/video0", "second_camera_address": "/dev/video2"}
    given = {"camera": "uvc", "second_camera": "uvc", "camera_topic": "camera/top/image", **addresses}
    steps = plan.make(LAUNCH / "robots" / "so101.launch.xml", given, os.environ, tmp_path)
    cameras = {node_name(step): step for step in steps if "camera" in node_name(step)}
    assert "camera/image:=camera/top/image" in cameras["camera"].command
    assert "camera/image:=camera/second/image" in cameras["second_camera"].command


@pytest.mark.parametrize(
    ("file", "given"),
    [("sim.launch.xml", {}), ("robots/so101.launch.xml", {"policy": "mine", "camera": "uvc", "camera_address": "/dev/video0"})],
)
def test_a_cache_is_for_who_plans(file, given, tmp_path):
    plan.make(LAUNCH / file, {**given, "cache": "some.cache"}, os.environ, tmp_path)
    nodes = [node["ros__parameters"] for path in tmp_path.glob("parameters-*") for node in yaml.safe_load(path.read_text()).values()]
    (planner,) = (parameters for parameters in nodes if parameters.get("cache") == "some.cache")
    assert "run" in planner
