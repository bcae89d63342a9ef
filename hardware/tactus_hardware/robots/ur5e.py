"""UR5e with a hand: its kinematics as Universal Robots publishes them ("DH parameters for calculations of kinematics and dynamics").

A real arm differs from these numbers by up to some millimetres; its controller knows by how much, and no one else does.
"""

import numpy as np

from tactus_core.types import Capsule
from tactus_hardware.inspire import protocol as inspire
from tactus_hardware.leap import protocol as leap
from tactus_hardware.robotiq import protocol as robotiq
from tactus_hardware.robots import assembly
from tactus_hardware.ur.protocol import JOINTS, LIMITS_RAD

_QUARTER = np.pi / 2
# a [m], d [m], alpha [rad]
_DH = np.array(
    [
        (0.0, 0.1625, _QUARTER),
        (-0.425, 0.0, 0.0),
        (-0.3922, 0.0, 0.0),
        (0.0, 0.1333, _QUARTER),
        (0.0, 0.0997, -_QUARTER),
        (0.0, 0.0996, 0.0),
    ]
)
# Around the links as the maker draws them: upper arm and forearm lie 0.138 m and 0.007 m beside the line between their joints.
_CAPSULES = (
    Capsule("base", (0.0, 0.0, 0.0), (0.0, 0.0, 0.07), 0.075),
    Capsule("link_1", (0.0, 0.0, 0.1625), (0.0, -0.138, 0.1625), 0.07),
    Capsule("link_2", (0.0, 0.0, 0.138), (-0.425, 0.0, 0.138), 0.07),
    Capsule("link_3", (0.0, 0.0, 0.007), (-0.3922, 0.0, 0.007), 0.06),
    Capsule("link_4", (0.0, 0.0, 0.02), (0.0, 0.0, 0.1333), 0.05),
    Capsule("link_5", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0997), 0.05),
)
_ARM = assembly.Arm(
    joints=JOINTS,
    dh=_DH,
    limits_rad=LIMITS_RAD,
    speed_rad_s=(np.pi,) * 6,
    effort_Nm=(150.0, 150.0, 150.0, 28.0, 28.0, 28.0),
    q_home_rad=np.array([0.0, -_QUARTER, _QUARTER, -_QUARTER, -_QUARTER, 0.0]),  # upper arm up, forearm forward, tool down
    capsules=_CAPSULES,
)
_LEAP_FINGERS = [[f"{finger}_{joint}" for joint in ("side", "mcp", "pip", "dip")] for finger in leap.FINGERS]
# Heights of the sensors: ATI Mini45 0.016 m and its plates, FT 300 0.0375 m (data sheets); of the palms: measured on nobody's hand.
UR5E_LEAP_NETFT = _ARM.with_hand("ur5e_leap_netft", leap.JOINTS, leap.LIMITS_RAD, 0.15, _LEAP_FINGERS)
UR5E_INSPIRE = _ARM.with_hand("ur5e_inspire", inspire.JOINTS, inspire.LIMITS_RAD, 0.12)
UR5E_ROBOTIQ_FT300 = _ARM.with_hand("ur5e_robotiq_ft300", robotiq.JOINTS, robotiq.MODELS["2f85"].limits(), 0.20)
