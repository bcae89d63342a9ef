"""SO-101: its URDF is that of `example-robot-data`. The gripper is one of the arm's six servos, and moves with them."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from tactus_core.errors import SetupError
from tactus_core.types import RobotDescription
from tactus_hardware.so101.protocol import JOINTS

_FILE = "share/example-robot-data/robots/so_arm_description/urdf/so101.urdf"


def _urdf() -> Path:
    pinocchio = find_spec("pinocchio")  # cmeel's packages lie in one prefix
    path = next((parent / _FILE for parent in Path(str(pinocchio and pinocchio.origin)).parents if (parent / _FILE).exists()), None)
    if path is None:
        raise SetupError(f"{_FILE}: no such file beside pinocchio, expected example-robot-data's. Try: pip install example-robot-data")
    return path


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
