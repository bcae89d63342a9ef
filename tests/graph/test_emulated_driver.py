"""A robot that other ROS 2 drivers run, without them: the shipped launch file with what stands for both drivers."""

import os
import signal

import numpy as np

from tactus_cli.bringup import launch_file
from tactus_cli.launching.session import Launched
from tactus_cli.reach import Reacher, judge
from tactus_core.guard.config import GuardConfig
from tactus_core.kinematics import Kinematics
from tactus_nodes import topics
from tactus_nodes.client import GraphSession
from tactus_nodes.plugins import find_robot


def test_a_franka_with_an_allegro_reaches_within_its_limits_and_rests_when_its_driver_is_gone(tmp_path):
    robot, kinematics = find_robot("franka_allegro"), Kinematics(find_robot("franka_allegro"))
    arguments = {"mode": "emulated", "dry_run": "false", "realtime": "false", "emulator_logs": str(tmp_path)}
    states, holding, wrenches = [], [], []
    with (
        Launched(launch_file("robots/franka_allegro.launch.xml"), arguments, folder=tmp_path / "logs") as launched,
        GraphSession(launched.check) as session,
    ):
        session.wait_ready()
        session.listen(topics.ARM_HOLDING, lambda message: holding.append(message.data))
        session.listen(topics.WRENCH, wrenches.append)
        session.listen(topics.VERDICT, lambda message: states.append(message.state))
        Reacher(session, robot, topics.ARM_STATES).run(4.0)
        assert "running" in states
        assert holding[-1] is False
        assert wrenches
        session.tolerate_faults()
        driver = next(running for running in launched.running("emulated_driver") if "__node:=arm_driver" in running.process.command)
        os.kill(driver.pid, signal.SIGKILL)
        session.wait_for(lambda: states[-1] == "holding" and holding[-1], 20.0, "the robot to rest")
    kinds = (
        (
            "arm",
            kinematics.arm_low_rad,
            kinematics.arm_high_rad,
            np.minimum(GuardConfig().max_joint_speed_rad_s, kinematics.arm_speed_rad_s),
        ),
    )
    kinds += (("hand", kinematics.hand_low_rad, kinematics.hand_high_rad, GuardConfig().max_hand_speed_rad_s),)
    assert [judge(tmp_path / f"{name}.txt", low, high, speed, name) for name, low, high, speed in kinds] == [{}, {}]
