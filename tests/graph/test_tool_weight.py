"""The weight of a tool: found from postures of a robot, and taken out of its wrench."""

import math

import numpy as np
import pytest
import yaml
from feeding import START_S
from geometry_msgs.msg import WrenchStamped
from solo import sample, solo, stamp_of

from tactus_cli.tool import ToolReader, as_parameters
from tactus_core.errors import DataError
from tactus_core.kinematics import Kinematics
from tactus_core.perception.payload import Payload, identify
from tactus_nodes import convert, topics
from tactus_nodes.client import GraphSession
from tactus_nodes.touch_monitor import TouchMonitor

TOOL = Payload(1.5, np.array([0.02, -0.01, 0.06]), np.array([3.0, -2.0, 5.0, 0.1, 0.2, -0.1]))
TILTS = ((0.0, 0.0, 0.0), (0.0, 1.2, 0.0), (0.0, 0.0, 1.2), (0.0, -1.0, 0.5), (0.5, 0.4, -1.1))  # yaw, pitch, roll


def posture(robot, tilt):
    q = robot.q_home_rad.copy()
    q[3:6] = tilt
    return q


def felt(robot, tilt):
    return TOOL.felt(Kinematics(robot).tcp_pose(posture(robot, tilt))[:3, :3])


class Robot:
    """Publishes joints and a raw wrench, at rest in one posture after the other."""

    def __init__(self, session, robot):
        self.robot, self.tilt, self.step_rad = robot, TILTS[0], 0.0
        both = (topics.JOINT_STATES, topics.WRENCH_RAW)
        self._outs = [session.node.create_publisher(topic.type, topic.name, topic.qos) for topic in both]
        session.node.create_timer(0.005, self._tell)

    def _tell(self):
        self.tilt = tuple(angle + self.step_rad for angle in self.tilt)
        joints = convert.joint_state(self.robot.arm_joints)
        joints.position = convert.joint_array(posture(self.robot, self.tilt))
        wrench = WrenchStamped()
        wrench.header.frame_id = "tcp"
        convert.put_wrench(felt(self.robot, self.tilt), wrench)
        for out, message in zip(self._outs, (joints, wrench), strict=True):
            out.publish(message)


def test_a_tool_is_found_at_rest_and_a_robot_that_moves_or_says_nothing_is_refused(robot):
    with GraphSession() as session:
        reader = ToolReader(session, robot)
        with pytest.raises(DataError, match="0 readings"):
            reader.read(0.1)
        moving = Robot(session, robot)
        session.wait_for(lambda: len(reader._wrenches) > 0, 10.0, "a reading")
        readings = []
        for tilt in TILTS:
            moving.tilt = tilt
            readings.append(reader.read(0.3))
        moving.step_rad = 0.001
        with pytest.raises(DataError, match="Let the arm rest"):
            reader.read(0.3)
    found = identify([wrench for wrench, _ in readings], [R for _, R in readings])
    assert found.mass_kg == pytest.approx(TOOL.mass_kg, abs=1e-6)
    np.testing.assert_allclose(found.center_m, TOOL.center_m, atol=1e-6)
    values = yaml.safe_load(as_parameters(found))["touch_monitor"]["ros__parameters"]
    assert values == {"tool_kg": 1.5, "tool_center_m": [0.02, -0.01, 0.06]}


def test_its_weight_is_taken_out_in_every_posture_and_nothing_is_passed_on_where_that_is_unknown(robot):
    center = str(TOOL.center_m.tolist())
    with solo(TouchMonitor, "touch_monitor", robot=robot.name, tool_kg=TOOL.mass_kg, tool_center_m=center) as bench:
        stamp_s, noise = START_S, np.random.default_rng(0)

        def feel(tilt, wrench, count=1, **alterations):
            nonlocal stamp_s
            for _ in range(count):
                stamp_s += 0.005
                arrived = bench.arrivals(topics.WRENCH_RAW)
                joints = sample(robot, stamp_s, **alterations)[0][1]
                if not alterations:
                    joints.position[:7] = convert.joint_array(posture(robot, tilt))
                message = WrenchStamped()
                message.header.frame_id, message.header.stamp = "tcp", stamp_of(stamp_s)
                convert.put_wrench(wrench + noise.normal(0.0, [0.01] * 3 + [0.001] * 3), message)
                bench.send(topics.JOINT_STATES, joints)
                bench.send(topics.WRENCH_RAW, message)
                bench.until(arrived, "a raw wrench to arrive")

        feel(TILTS[0], felt(robot, TILTS[0]), 300)  # still and unloaded: the bias is taken
        wrenches, push = bench.hear(topics.WRENCH), np.array([0.0, 0.0, 4.0, 0.0, 0.0, 0.0])
        for tilt in TILTS:
            count = len(wrenches)
            feel(tilt, felt(robot, tilt) + push, 5)
            bench.until(lambda count=count: len(wrenches) >= count + 3, "wrenches")
            np.testing.assert_allclose(convert.wrench_tcp(wrenches[-1]), push, atol=0.05)
        count = len(wrenches)
        feel(TILTS[0], felt(robot, TILTS[0]), 3, joints=lambda message: setattr(message, "position", [math.nan] * 23))
        assert "weight cannot be taken out" in bench.node.trouble or "joint states" in bench.node.trouble
        assert len(wrenches) == count
