"""The robots that are made of devices here: their kinematics against published numbers, and their joints against the devices'."""

from dataclasses import replace

import numpy as np
import pinocchio as pin
import pytest

from tactus_core.kinematics import Kinematics
from tactus_core.robots.files import robot_data
from tactus_hardware.inspire import protocol as inspire
from tactus_hardware.leap import protocol as leap
from tactus_hardware.robots.franka import FRANKA_ALLEGRO
from tactus_hardware.robots.so101 import SO101
from tactus_hardware.robots.ur5e import UR5E_INSPIRE, UR5E_LEAP_NETFT, UR5E_ROBOTIQ_FT300
from tactus_hardware.so101.protocol import JOINTS as SO101_JOINTS
from tactus_hardware.ur import protocol as ur
from tactus_hardware.ur.emulated import READY_rad

UR5E = (UR5E_INSPIRE, UR5E_LEAP_NETFT, UR5E_ROBOTIQ_FT300)
STRETCHED = [-0.425 - 0.3922, -0.1333 - 0.0996, 0.1625 - 0.0997]  # the flange of a UR5e whose joints are all at zero


def flange(robot, q_rad):
    T = Kinematics(robot).tcp_pose(q_rad)
    palm_m = {"ur5e_inspire": 0.12, "ur5e_leap_netft": 0.15, "ur5e_robotiq_ft300": 0.20}[robot.name]
    return T[:3, 3] - palm_m * T[:3, 2]


@pytest.mark.parametrize("robot", UR5E, ids=lambda robot: robot.name)
def test_the_ur5e_is_where_its_published_parameters_put_it(robot):
    np.testing.assert_allclose(flange(robot, np.zeros(6)), STRETCHED, atol=1e-9)
    # With the base turned by a quarter, so is the point.
    turned = flange(robot, np.array([np.pi / 2, 0, 0, 0, 0, 0]))
    np.testing.assert_allclose(turned, [-STRETCHED[1], STRETCHED[0], STRETCHED[2]], atol=1e-9)


@pytest.mark.parametrize("robot", [*UR5E, FRANKA_ALLEGRO, SO101], ids=lambda robot: robot.name)
def test_at_home_it_is_within_its_limits_and_touches_nothing(robot):
    kinematics = Kinematics(robot)
    q = robot.q_home_rad
    assert (kinematics.arm_low_rad < q).all()
    assert (q < kinematics.arm_high_rad).all()
    assert kinematics.clearance()(q) > 0.01
    assert kinematics.clearance([(0.0, 0.0, 1.0, 0.0)])(q) > 0.02
    assert (kinematics.arm_speed_rad_s > 0.5).all()
    assert len(robot.hand_rest_rad) == len(robot.hand_grip_rad) == len(robot.hand_joints)


def test_joints_are_those_of_the_devices_in_their_order():
    assert tuple(UR5E_LEAP_NETFT.arm_joints) == ur.JOINTS
    np.testing.assert_array_equal(UR5E_LEAP_NETFT.q_home_rad, READY_rad)
    assert tuple(SO101.arm_joints) == SO101_JOINTS
    for robot, device in ((UR5E_LEAP_NETFT, leap), (UR5E_INSPIRE, inspire)):
        kinematics = Kinematics(robot)
        assert tuple(robot.hand_joints) == tuple(device.JOINTS)
        np.testing.assert_allclose(np.stack([kinematics.hand_low_rad, kinematics.hand_high_rad], axis=1), device.LIMITS_RAD)


def test_a_franka_is_where_its_own_urdf_puts_it():
    """Franka's URDF as example-robot-data has it: written by others, from the same data sheet."""
    file = robot_data("panda_description/urdf/panda.urdf")
    theirs = pin.buildModelFromUrdf(str(file))
    data, random = theirs.createData(), np.random.default_rng(0)
    ours = Kinematics(replace(FRANKA_ALLEGRO, tcp_frame="flange"))
    for _ in range(20):
        q = random.uniform(ours.arm_low_rad, ours.arm_high_rad)
        pin.framesForwardKinematics(theirs, data, np.concatenate([q, np.zeros(theirs.nq - 7)]))
        np.testing.assert_allclose(ours.tcp_pose(q), data.oMf[theirs.getFrameId("panda_link8")].homogeneous, atol=1e-9)
