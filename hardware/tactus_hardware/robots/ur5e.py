"""UR5e with a hand: its kinematics as Universal Robots publishes them ("DH parameters for calculations of kinematics and dynamics").

A real arm differs from these numbers by up to some millimetres; its controller knows by how much, and no one else does.
"""

from collections.abc import Sequence

import numpy as np

from tactus_core.types import Array, Capsule, RobotDescription
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
_SPEED_RAD_S = np.pi
_EFFORT_NM = (150.0, 150.0, 150.0, 28.0, 28.0, 28.0)
# Around the links as the maker draws them: upper arm and forearm lie 0.138 m and 0.007 m beside the line between their joints.
_CAPSULES = (
    Capsule("base", (0.0, 0.0, 0.0), (0.0, 0.0, 0.07), 0.075),
    Capsule("link_1", (0.0, 0.0, 0.1625), (0.0, -0.138, 0.1625), 0.07),
    Capsule("link_2", (0.0, 0.0, 0.138), (-0.425, 0.0, 0.138), 0.07),
    Capsule("link_3", (0.0, 0.0, 0.007), (-0.3922, 0.0, 0.007), 0.06),
    Capsule("link_4", (0.0, 0.0, 0.02), (0.0, 0.0, 0.1333), 0.05),
    Capsule("link_5", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0997), 0.05),
)
_Q_HOME_RAD = np.array([0.0, -_QUARTER, _QUARTER, -_QUARTER, -_QUARTER, 0.0])  # upper arm up, forearm forward, tool down
_HAND_RADIUS_M = 0.08


def _with(name: str, joints: Sequence[str], limits_rad: Array, palm_m: float, fingers: Sequence[Sequence[str]] = ()) -> RobotDescription:
    """palm_m: how far the tcp, the palm's middle, is from the flange along its z axis."""
    elements = assembly.arm("base", JOINTS, _DH, LIMITS_RAD, _SPEED_RAD_S, _EFFORT_NM)
    elements += assembly.fixed(assembly.FLANGE, assembly.TCP, (0.0, 0.0, palm_m)) + assembly.hand(joints, limits_rad)
    return RobotDescription(
        name=name,
        urdf=lambda: assembly.written(name, elements),
        base_frame="base",
        tcp_frame=assembly.TCP,
        arm_joints=JOINTS,
        hand_joints=tuple(joints),
        q_home_rad=_Q_HOME_RAD,
        hand_rest_rad=np.clip(np.zeros(len(limits_rad)), *limits_rad.T),
        hand_grip_rad=assembly.middle(limits_rad),
        fingers=fingers,
        capsules=(*_CAPSULES, Capsule(assembly.FLANGE, (0.0, 0.0, 0.05), (0.0, 0.0, palm_m), _HAND_RADIUS_M)),
    )


_LEAP_FINGERS = [[f"{finger}_{joint}" for joint in ("side", "mcp", "pip", "dip")] for finger in leap.FINGERS]
# Heights of the sensors: ATI Mini45 0.016 m and its plates, FT 300 0.0375 m (data sheets); of the palms: measured on nobody's hand.
UR5E_LEAP_NETFT = _with("ur5e_leap_netft", leap.JOINTS, leap.LIMITS_RAD, 0.15, _LEAP_FINGERS)
UR5E_INSPIRE = _with("ur5e_inspire", inspire.JOINTS, inspire.LIMITS_RAD, 0.12)
UR5E_ROBOTIQ_FT300 = _with("ur5e_robotiq_ft300", robotiq.JOINTS, robotiq.MODELS["2f85"].limits(), 0.20)
