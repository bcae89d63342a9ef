import dataclasses

import numpy as np
import pytest

from tactus_core.errors import ConfigError, DataError
from tactus_core.geometry import rigid, rotation_matrix
from tactus_core.kinematics import Kinematics

# The tree's order is elbow before wrist; a finger hangs beside the tool; `base` sits 0.1 m above the root.
URDF = """<robot name="small">
  <link name="root"/><link name="base"/><link name="upper"/><link name="lower"/><link name="tcp"/><link name="finger"/>
  <joint name="foot" type="fixed"><parent link="root"/><child link="base"/><origin xyz="0 0 0.1"/></joint>
  <joint name="z_elbow" type="revolute"><parent link="base"/><child link="upper"/><axis xyz="0 0 1"/>
    <limit lower="-3" upper="3" effort="1" velocity="1"/></joint>
  <joint name="a_wrist" type="revolute"><parent link="upper"/><child link="lower"/><origin xyz="0.5 0 0"/><axis xyz="0 1 0"/>
    <limit lower="-3" upper="3" effort="1" velocity="1"/></joint>
  <joint name="tool" type="fixed"><parent link="lower"/><child link="tcp"/><origin xyz="0.2 0 0"/></joint>
  <joint name="finger" type="revolute"><parent link="lower"/><child link="finger"/><axis xyz="0 1 0"/>
    <limit lower="-0.2" upper="1.6" effort="1" velocity="1"/></joint>
</robot>"""


@pytest.fixture
def small(robot, tmp_path):
    path = tmp_path / "small.urdf"
    path.write_text(URDF)
    return dataclasses.replace(robot, urdf=lambda: path, arm_joints=["a_wrist", "z_elbow"], hand_joints=["finger"])


def test_the_tcp_follows_the_arm_in_the_descriptions_order(small):
    wrist, elbow = 0.4, -1.1
    upper = rigid(np.zeros(3), rotation_matrix(np.array([0, 0, elbow])))
    lower = rigid(np.array([0.5, 0, 0]), rotation_matrix(np.array([0, wrist, 0])))
    expected = upper @ lower @ rigid(np.array([0.2, 0, 0]), np.eye(3))
    kinematics = Kinematics(small)
    first = kinematics.tcp_pose(np.array([wrist, elbow]))
    np.testing.assert_allclose(first, expected, atol=1e-12)
    kinematics.tcp_pose(np.zeros(2))
    np.testing.assert_allclose(first, expected, atol=1e-12)


def test_the_hands_limits_come_from_the_urdf(small):
    kinematics = Kinematics(small)
    assert (kinematics.hand_low_rad.tolist(), kinematics.hand_high_rad.tolist()) == ([-0.2], [1.6])


@pytest.mark.parametrize("q", [np.zeros(3), np.array([np.nan, 0.0])])
def test_unusable_positions_are_refused(small, q):
    with pytest.raises(DataError):
        Kinematics(small).tcp_pose(q)


WRONG = {
    "no joints shoulder": {"arm_joints": ["shoulder", "z_elbow"]},
    "no joints tool": {"hand_joints": ["tool"]},
    "no links palm": {"tcp_frame": "palm"},
    "hangs on joints outside": {"tcp_frame": "finger"},
    "a base has to stand": {"base_frame": "upper"},
}


@pytest.mark.parametrize("message", WRONG)
def test_a_description_that_does_not_fit_its_urdf_is_refused(small, message):
    with pytest.raises(ConfigError, match=message):
        Kinematics(dataclasses.replace(small, **WRONG[message]))


def test_a_urdf_that_is_none_is_refused(small, tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        Kinematics(dataclasses.replace(small, urdf=lambda: tmp_path / "nothing.urdf"))
