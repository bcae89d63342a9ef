"""URDFs made of numbers: an arm by its Denavit-Hartenberg parameters, and a hand of joints that hang on its flange."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tactus_core.robots.files import written
from tactus_core.types import Array, Capsule, RobotDescription

BASE, FLANGE, TCP = "base", "flange", "tcp"
_HAND_RADIUS_M = 0.08


@dataclass(frozen=True)
class Arm:
    """An arm. dh: (joints, 3), a [m], d [m], alpha [rad] of each joint, distal: joint i turns about z, then come Tz(d) Tx(a) Rx(alpha).

    Its URDF goes from the link `base` over link_1 and so on, each of which turns with its joint, about its z axis, to the link `flange`.
    limits_rad: (joints, 2). capsules: in these links' frames.
    """

    joints: Sequence[str]
    dh: Array
    limits_rad: Array
    speed_rad_s: Sequence[float]
    effort_Nm: Sequence[float]
    q_home_rad: Array
    capsules: Sequence[Capsule]

    def elements(self) -> str:
        """Return its links and joints."""
        elements = [f'<link name="{BASE}"/>']
        parent, a, d, alpha = BASE, 0.0, 0.0, 0.0
        for i, name in enumerate(self.joints):
            child, (low, high) = f"link_{i + 1}", self.limits_rad[i]
            elements.append(
                f'<link name="{child}"/><joint name="{name}" type="revolute"><parent link="{parent}"/><child link="{child}"/>'
                f'<origin xyz="{a} 0 {d}" rpy="{alpha} 0 0"/><axis xyz="0 0 1"/>'
                f'<limit lower="{low}" upper="{high}" velocity="{self.speed_rad_s[i]}" effort="{self.effort_Nm[i]}"/></joint>'
            )
            parent, (a, d, alpha) = child, self.dh[i]
        return "".join((*elements, fixed(parent, FLANGE, (a, 0.0, d), (alpha, 0.0, 0.0))))

    def with_hand(
        self, name: str, joints: Sequence[str], limits_rad: Array, palm_m: float, fingers: Sequence[Sequence[str]] = ()
    ) -> RobotDescription:
        """Return a robot. palm_m: how far the tcp, the palm's middle, is from the flange along its z axis. limits_rad: (joints, 2)."""
        elements = self.elements() + fixed(FLANGE, TCP, (0.0, 0.0, palm_m)) + hand(joints, limits_rad)
        return RobotDescription(
            name=name,
            urdf=lambda: written(name, f'<robot name="{name}">{elements}</robot>'),
            base_frame=BASE,
            tcp_frame=TCP,
            arm_joints=tuple(self.joints),
            hand_joints=tuple(joints),
            q_home_rad=self.q_home_rad,
            hand_rest_rad=np.clip(np.zeros(len(limits_rad)), *limits_rad.T),
            hand_grip_rad=limits_rad.mean(axis=1),
            fingers=fingers,
            capsules=(*self.capsules, Capsule(FLANGE, (0.0, 0.0, 0.05), (0.0, 0.0, palm_m), _HAND_RADIUS_M)),
        )


def fixed(parent: str, child: str, xyz_m: Sequence[float], rpy_rad: Sequence[float] = (0.0, 0.0, 0.0)) -> str:
    """Return the elements of the link `child`, fixed to `parent`."""
    place = f'<origin xyz="{" ".join(map(str, xyz_m))}" rpy="{" ".join(map(str, rpy_rad))}"/>'
    return f'<link name="{child}"/><joint name="{child}_joint" type="fixed"><parent link="{parent}"/><child link="{child}"/>{place}</joint>'


def hand(joints: Sequence[str], limits_rad: Array) -> str:
    """Return the elements of a hand's joints, all on the flange: they have limits (joints, 2), and their links no shape."""
    return "".join(
        f'<link name="{name}_link"/><joint name="{name}" type="revolute"><parent link="{FLANGE}"/><child link="{name}_link"/>'
        f'<axis xyz="0 0 1"/><limit lower="{low}" upper="{high}" velocity="6" effort="5"/></joint>'
        for name, (low, high) in zip(joints, limits_rad, strict=True)
    )
