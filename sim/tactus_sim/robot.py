"""The simulated robot: a Franka Panda with an Allegro right hand that holds a tool under its four fingertips.

The URDF is composed from `pybullet_data` (arm) and `example-robot-data` (hand) when first asked for, and kept in the user's cache: both
packages name their meshes in their own way, and one merged tree is needed for a fixed joint that can measure the wrist's wrench.
"""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from tactus_core.errors import SetupError
from tactus_core.robots.files import robot_data, written
from tactus_core.robots.panda import PANDA_CAPSULES
from tactus_core.types import Capsule, RobotDescription

ARM_JOINTS = tuple(f"panda_joint{i}" for i in range(1, 8))
# index, middle, ring, thumb: the order of the fingertips everywhere.
HAND_JOINTS = tuple(f"joint_{i}.0" for i in (*range(0, 12), 12, 13, 14, 15))
FINGERTIP_LINKS = ("link_3.0_tip", "link_7.0_tip", "link_11.0_tip", "link_15.0_tip")
WRIST_JOINT = "wrist_ft_joint"
PAD_LINK = "pad"
PAD_JOINTS = ("pad_slide", "pad_roll", "pad_pitch")
FINGERTIP_RADIUS_m = 0.012

_LEAST_INERTIA_kgm2 = 5e-6
_PALM_TO_FLANGE_m = 0.045  # adapter plate and half a palm
_PALM_OFFSET_m = -0.046  # puts the pad's centre on the flange axis: the wrist's torque then reads tilt
_PAD_TOP_m = 0.077 + FINGERTIP_RADIUS_m  # where the fingertips meet the pad, along the palm's normal
PAD_TOP_FROM_FLANGE_m = _PALM_TO_FLANGE_m + _PAD_TOP_m

# Fingertips 77 mm under the palm, spread over the pad (inverse kinematics of the four tips); the thumb reaches back along the palm.
_GRIP = {
    "joint_0.0": -0.2587, "joint_1.0": 0.2986, "joint_2.0": 1.0076, "joint_3.0": 0.2642,
    "joint_4.0": 0.0, "joint_5.0": 0.2505, "joint_6.0": 1.0411, "joint_7.0": 0.2790,
    "joint_8.0": 0.2587, "joint_9.0": 0.2986, "joint_10.0": 1.0076, "joint_11.0": 0.2642,
    "joint_12.0": 1.396, "joint_13.0": 0.3905, "joint_14.0": 1.2445, "joint_15.0": 0.0,
}  # fmt: skip
_RELAX_RAD = {"joint_1.0": 0.06, "joint_5.0": 0.06, "joint_9.0": 0.06, "joint_14.0": -0.06}  # lifts every tip by about 4 mm

HAND_GRIP_RAD = np.array([_GRIP[name] for name in HAND_JOINTS])
HAND_REST_RAD = HAND_GRIP_RAD - np.array([_RELAX_RAD.get(name, 0.0) for name in HAND_JOINTS])
Q_HOME_RAD = np.array([0.0, -0.2778, 0.0, -2.4071, 0.0, 2.1293, 0.7854])  # tcp at (0.45, 0, 0.26), straight down


@dataclass(frozen=True)
class Tool:
    """What the hand holds: a pad under the fingertips, hung on an elastic strap, and what is fixed to that.

    robot: name of the robot with this tool in its hand. pad_size_m: along tcp x, tcp y, and thickness. strap_N: what presses the pad on
    the fingertips. tcp_from_flange_m: where the tcp is on the flange's axis. links: URDF of what is fixed to the pad, by `more_joints`.
    """

    robot: str
    pad_size_m: tuple[float, float, float]
    pad_mass_kg: float
    strap_N: float
    tcp_from_flange_m: float
    links: str = ""
    more_joints: tuple[str, ...] = ()

    @property
    def joints(self) -> tuple[str, ...]:
        """Names of its passive joints."""
        return (*PAD_JOINTS, *self.more_joints)


def urdf(tool: Tool, draw_arm: bool = True) -> Path:
    """Return the path of the merged URDF; it is written once per version of this file and its sources.

    draw_arm=False leaves out the arm's meshes: a wrist camera cannot see them, and drawing them takes 15 of 24 ms.
    """
    return written(tool.robot, _compose(tool, draw_arm))


def _compose(tool: Tool, draw_arm: bool) -> str:
    arm_file = _pybullet_data() / "franka_panda" / "panda.urdf"
    hand_file = robot_data("allegro_hand_description/urdf/allegro_right_hand.urdf")
    share = hand_file.parents[4]  # below which its meshes are named
    robot = ET.Element("robot", name=tool.robot)
    arm = ET.parse(arm_file).getroot()
    for element in arm:
        name = element.get("name", "")
        if element.tag in ("link", "joint") and not any(word in name for word in ("finger", "hand", "grasptarget")):
            robot.append(_with_meshes(element, "package://", f"{arm_file.parent}/"))
            for visual in element.findall("visual") if not draw_arm else ():
                element.remove(visual)
    for element in ET.parse(hand_file).getroot():
        if element.tag in ("link", "joint", "material"):
            robot.append(_with_meshes(element, "package://", f"{share}/"))
    for text in (_MOUNT, _pad(tool), tool.links, _tcp(tool)):
        robot.extend(ET.fromstring(f"<robot>{text}</robot>"))
    ET.indent(robot)
    return ET.tostring(robot, encoding="unicode")


def _pybullet_data() -> Path:
    spec = find_spec("pybullet_data")
    if spec is None or not spec.submodule_search_locations:
        raise SetupError("pybullet is not installed, and the simulated robot is composed from its data. Try: pip install pybullet")
    return Path(next(iter(spec.submodule_search_locations)))


def _with_meshes(element: ET.Element, prefix: str, folder: str) -> ET.Element:
    for mesh in element.iter("mesh"):
        mesh.set("filename", mesh.get("filename", "").replace(prefix, folder))
    for child in element.findall("dynamics"):
        element.remove(child)  # the hand's damping of 3-10 Nms/rad is a placeholder that freezes its fingers
    for inertia in element.iter("inertia"):
        if min(float(inertia.get(axis, 0)) for axis in ("ixx", "iyy", "izz")) < _LEAST_INERTIA_kgm2:
            # Some distal links break the triangle inequality, and Bullet then drops their inertia altogether.
            inertia.attrib = {name: str(_LEAST_INERTIA_kgm2) if name[1] == name[2] else "0" for name in inertia.attrib}
    return element


def link(name: str, mass_kg: float, shape: str = "") -> str:
    """Return the URDF of a link with its mass, small and even inertia, and its shape."""
    inertia = max(8e-4 * mass_kg, _LEAST_INERTIA_kgm2)
    return (
        f'<link name="{name}"><inertial><mass value="{mass_kg}"/>'
        f'<inertia ixx="{inertia}" iyy="{inertia}" izz="{inertia}" ixy="0" ixz="0" iyz="0"/></inertial>{shape}</link>'
    )


# The flange's z is the palm's x: palm down, fingers along the flange's x (turned by -45 degrees, as Franka's own hand is).
_MOUNT = f"""
<link name="wrist"><inertial><mass value="0.1"/><inertia ixx="1e-4" iyy="1e-4" izz="1e-4" ixy="0" ixz="0" iyz="0"/></inertial></link>
<joint name="{WRIST_JOINT}" type="fixed"><parent link="panda_link8"/><child link="wrist"/>
  <origin xyz="0 0 0" rpy="0 0 {-np.pi / 4}"/></joint>
<joint name="palm_joint" type="fixed"><parent link="wrist"/><child link="palm_link"/>
  <origin xyz="{_PALM_OFFSET_m} 0 {_PALM_TO_FLANGE_m}" rpy="{np.pi} {-np.pi / 2} 0"/></joint>
"""


def box(size_m: tuple[float, float, float], colour: str) -> str:
    """Return the URDF of a box to be seen and touched; `colour`: red, green, blue (0..1)."""
    shape = f'<geometry><box size="{" ".join(map(str, size_m))}"/></geometry>'
    return f'<visual>{shape}<material name="{colour}"><color rgba="{colour} 1"/></material></visual><collision>{shape}</collision>'


def _pad(tool: Tool) -> str:
    """Hung on an elastic strap, it slides along the palm's normal and tilts, so that the fingertips carry all of the contact force."""
    slide, roll, pitch = PAD_JOINTS
    return f"""
{link("pad_slider", 0.005)}{link("pad_cradle", 0.005)}{link(PAD_LINK, tool.pad_mass_kg - 0.01, box(tool.pad_size_m, "0.25 0.35 0.55"))}
<joint name="{slide}" type="prismatic"><parent link="wrist"/><child link="pad_slider"/>
  <origin xyz="0 0 {PAD_TOP_FROM_FLANGE_m + tool.pad_size_m[2] / 2}"/><axis xyz="0 0 1"/>
  <limit lower="-0.03" upper="0.03" effort="50" velocity="2"/></joint>
<joint name="{roll}" type="revolute"><parent link="pad_slider"/><child link="pad_cradle"/><axis xyz="1 0 0"/>
  <limit lower="-0.2" upper="0.2" effort="5" velocity="10"/></joint>
<joint name="{pitch}" type="revolute"><parent link="pad_cradle"/><child link="{PAD_LINK}"/><axis xyz="0 1 0"/>
  <limit lower="-0.2" upper="0.2" effort="5" velocity="10"/></joint>
"""


def _tcp(tool: Tool) -> str:
    return f"""
{link("tcp", 1e-4)}
<joint name="tcp_joint" type="fixed"><parent link="wrist"/><child link="tcp"/><origin xyz="0 0 {tool.tcp_from_flange_m}"/></joint>
"""


# The last one holds the hand in a grip.
CAPSULES = (*PANDA_CAPSULES, Capsule("wrist", (-0.094, 0.0, 0.053), (0.0, 0.0, 0.101), 0.083))


def panda_allegro(tool: Tool) -> RobotDescription:
    """Return the robot with `tool` in its hand."""
    return RobotDescription(
        name=tool.robot,
        urdf=partial(urdf, tool),
        base_frame="panda_link0",
        tcp_frame="tcp",
        arm_joints=ARM_JOINTS,
        hand_joints=HAND_JOINTS,
        q_home_rad=Q_HOME_RAD,
        hand_rest_rad=HAND_REST_RAD,
        hand_grip_rad=HAND_GRIP_RAD,
        fingers=[HAND_JOINTS[i : i + 4] for i in range(0, 16, 4)],
        capsules=CAPSULES,
    )


PAD_SIZE_m = (0.080, 0.084, 0.025)
ERASER = Tool("panda_allegro", PAD_SIZE_m, pad_mass_kg=0.10, strap_N=4.0, tcp_from_flange_m=PAD_TOP_FROM_FLANGE_m + PAD_SIZE_m[2])
PANDA_ALLEGRO = panda_allegro(ERASER)
