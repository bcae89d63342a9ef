"""Franka Research 3, or Panda, with an Allegro hand; both are other ROS 2 drivers' business, and only their shape is told here.

Kinematics and efforts: Franka Control Interface documentation, "Denavit-Hartenberg parameters" and "Limits". The joints' ranges are what
the Panda and the Research 3 have in common, and the speeds are the Panda's, which are the lower ones.
"""

import numpy as np

from tactus_core.robots.panda import PANDA_CAPSULES
from tactus_core.types import Capsule
from tactus_hardware.allegro import protocol as allegro
from tactus_hardware.robots import assembly

_QUARTER = np.pi / 2
# a [m], d [m], alpha [rad]. Franka publishes the proximal form: there, a and alpha stand one row further down.
_DH = np.array(
    [
        (0.0, 0.333, -_QUARTER),
        (0.0, 0.0, _QUARTER),
        (0.0825, 0.316, _QUARTER),
        (-0.0825, 0.0, -_QUARTER),
        (0.0, 0.384, _QUARTER),
        (0.088, 0.0, _QUARTER),
        (0.0, 0.107, 0.0),
    ]
)

_LIMITS_RAD = np.array(
    [
        (-2.7437, 2.7437),
        (-1.7628, 1.7628),
        (-2.8973, 2.8973),
        (-3.0421, -0.1518),
        (-2.8065, 2.8065),
        (0.5445, 3.7525),
        (-2.8973, 2.8973),
    ]
)


def _here(capsule: Capsule) -> Capsule:
    """Return a capsule of Franka's own frames, which lie at the end of a joint's d, in ours, which lie at its beginning."""
    number = int(capsule.link.removeprefix("panda_link"))
    up = _DH[number - 1, 1] if number else 0.0
    start, end = ((x, y, z + up) for x, y, z in (capsule.start_m, capsule.end_m))
    return Capsule(f"link_{number}" if number else assembly.BASE, start, end, capsule.radius_m)


_ARM = assembly.Arm(
    joints=tuple(f"panda_joint{i}" for i in range(1, 8)),
    dh=_DH,
    limits_rad=_LIMITS_RAD,
    speed_rad_s=(2.175,) * 4 + (2.61,) * 3,
    effort_Nm=(87.0,) * 4 + (12.0,) * 3,
    q_home_rad=np.array([0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, _QUARTER, np.pi / 4]),
    capsules=[_here(capsule) for capsule in PANDA_CAPSULES],
)
_FINGERS = [allegro.JOINTS[i : i + 4] for i in range(0, 16, 4)]
FRANKA_ALLEGRO = _ARM.with_hand("franka_allegro", allegro.JOINTS, allegro.LIMITS_RAD, 0.12, _FINGERS)
