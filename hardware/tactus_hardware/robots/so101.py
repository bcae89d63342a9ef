"""SO-101: its URDF is that of `example-robot-data`. The gripper is one of the arm's six servos, and moves with them."""

from pathlib import Path

import numpy as np

from tactus_core.robots.files import robot_data
from tactus_core.types import RobotDescription
from tactus_hardware.so101.protocol import JOINTS


def _urdf() -> Path:
    return robot_data("so_arm_description/urdf/so101.urdf")


SO101 = RobotDescription(
    name="so101",
    urdf=_urdf,
    base_frame="base_link",
    tcp_frame="gripper_frame_link",
    arm_joints=JOINTS,
    hand_joints=(),
    q_home_rad=np.zeros(len(JOINTS)),
    hand_rest_rad=np.zeros(0),
    hand_grip_rad=np.zeros(0),
)
