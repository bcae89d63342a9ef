"""Whole robots in an empty space, each under the name of its description: gravity, a floor, joint servos, a wrist sensor.

bodies.py   what the links weigh, by makers' numbers
model.py    the robot's own URDF made fit for physics
world.py    physics, servos and sensors

An arm's joints are servos of its maker's torque. A hand is one body on the flange: its joints follow by themselves, ideally, and its
links weigh nothing and touch nothing, because no description here says what they are like.
"""

from functools import partial

from tactus_core.ports import RobotWorld, SimRobot
from tactus_core.types import RobotDescription
from tactus_sim.free import bodies
from tactus_sim.free.bodies import Build


def _make(build: Build, robot: RobotDescription, speed_limit_rad_s: float, viewer: bool) -> RobotWorld:
    from tactus_sim.free.world import FreeWorld  # loads PyBullet

    return FreeWorld(build, robot, speed_limit_rad_s, viewer)


# Rates are those at which the devices speak: an SO-101's and a gripper's bus are asked, a LEAP hand's as well; FT 300 sends 100 Hz.
SO101 = SimRobot(partial(_make, bodies.SO101), arm_Hz=250.0)
UR5E_INSPIRE = SimRobot(partial(_make, bodies.UR5E_INSPIRE))
UR5E_LEAP_NETFT = SimRobot(partial(_make, bodies.UR5E_LEAP_NETFT), hand_Hz=250.0)
UR5E_ROBOTIQ_FT300 = SimRobot(partial(_make, bodies.UR5E_ROBOTIQ_FT300), wrench_Hz=100.0)
FRANKA_ALLEGRO = SimRobot(partial(_make, bodies.FRANKA_ALLEGRO), hand_Hz=250.0)
