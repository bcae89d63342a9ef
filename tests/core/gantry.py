"""A robot whose posture can be read off its pose: three slides, three turning joints, one idle joint, sixteen finger joints.

A post stands beside it, and a ball is its tool: what it may run into.
"""

import tempfile
from pathlib import Path

import numpy as np
import pinocchio as pin

from tactus_core.geometry import rigid, rotation_matrix
from tactus_core.kinematics import Kinematics
from tactus_core.types import Capsule, RobotDescription, RobotState

LOW, HIGH = np.full(16, -0.3), np.full(16, 1.7)
DOWN = rotation_matrix(np.array([np.pi * 0.999, 0, 0]))
POST_m, POST_RADIUS_m, BALL_m = (0.5, 0.45), 0.05, 0.04
_ARM = (("x", "prismatic", "1 0 0"), ("y", "prismatic", "0 1 0"), ("z", "prismatic", "0 0 1"), ("yaw", "revolute", "0 0 1"),
        ("pitch", "revolute", "0 1 0"), ("roll", "revolute", "1 0 0"), ("idle", "revolute", "1 0 0"))  # fmt: skip


def pose(x=0.5, y=0.0, z=0.3, turn=(0.0, 0.0, 0.0)):
    """A tool that points down."""
    return rigid(np.array([x, y, z]), DOWN @ rotation_matrix(np.array(turn)))


def posture(T):
    """The arm joints (7,) that put the tcp at T."""
    roll, pitch, yaw = pin.rpy.matrixToRpy(np.ascontiguousarray(T[:3, :3]))
    return np.array([*T[:3, 3], yaw, pitch, roll, 0.0])


def state(T, stamp_s=1.0, wrench=None, fingertip_force_N=None, effort_Nm=None):
    """The gantry at rest at T."""
    forces = np.zeros(4) if fingertip_force_N is None else fingertip_force_N
    return RobotState(stamp_s, T, np.zeros(6) if wrench is None else wrench, forces, np.full(16, 0.2), posture(T), effort_Nm)


def _urdf():
    links, joints, last = ['<link name="base"/>'], [], "base"
    for name, kind, axis in _ARM:
        links.append(f'<link name="{name}_link"/>')
        joints.append(_joint(name, kind, last, f"{name}_link", axis, 7))
        last = f"{name}_link" if name != "idle" else last
    # The idle joint turns something beside the tool, so that the tool's pose has one posture.
    links.append('<link name="tcp"/>')
    joints.append('<joint name="tool" type="fixed"><parent link="roll_link"/><child link="tcp"/></joint>')
    for i in range(16):
        links.append(f'<link name="f{i}_link"/>')
        joints.append(_joint(f"f{i}", "revolute", "tcp", f"f{i}_link", "0 0 1", None))
    path = Path(tempfile.gettempdir()) / "tactus_gantry.urdf"
    text = f'<robot name="gantry">{"".join(links + joints)}</robot>'
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
    return path


def _joint(name, kind, parent, child, axis, reach):
    low, high = (-reach, reach) if reach else (LOW[0], HIGH[0])
    return (
        f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/><axis xyz="{axis}"/>'
        f'<limit lower="{low}" upper="{high}" effort="1" velocity="2"/></joint>'
    )


GANTRY = RobotDescription(
    name="gantry",
    urdf=_urdf,
    base_frame="base",
    tcp_frame="tcp",
    arm_joints=[name for name, _, _ in _ARM],
    hand_joints=[f"f{i}" for i in range(16)],
    q_home_rad=posture(pose()),
    hand_rest_rad=np.zeros(16),
    hand_grip_rad=np.ones(16),
    fingers=[[f"f{4 * finger + i}" for i in range(4)] for finger in range(4)],
    capsules=(Capsule("base", (*POST_m, 0.0), (*POST_m, 1.0), POST_RADIUS_m), Capsule("tcp", (0.0, 0.0, -1e-3), (0.0, 0.0, 1e-3), BALL_m)),
)
KINEMATICS = Kinematics(GANTRY)
