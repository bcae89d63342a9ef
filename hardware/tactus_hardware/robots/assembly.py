"""URDFs made of numbers: an arm by its Denavit-Hartenberg parameters, and a hand of joints that hang on its flange."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tactus_core.types import Array

FLANGE, TCP = "flange", "tcp"


def arm(base: str, joints: Sequence[str], dh: Array, limits_rad: Array, speed_rad_s: float, effort_Nm: Sequence[float]) -> str:
    """Return the elements of an arm from the link `base` to the link `flange`.

    dh: (joints, 3), a [m], d [m], alpha [rad] of each joint, distal: joint i turns about z, then come Tz(d) Tx(a) Rx(alpha).
    Link i, named link_1 and so on, turns with joint i, its z axis along the joint. limits_rad: (joints, 2).
    """
    elements = [f'<link name="{base}"/>']
    parent, a, d, alpha = base, 0.0, 0.0, 0.0
    for i, name in enumerate(joints):
        child, (low, high) = f"link_{i + 1}", limits_rad[i]
        elements.append(
            f'<link name="{child}"/><joint name="{name}" type="revolute"><parent link="{parent}"/><child link="{child}"/>'
            f'<origin xyz="{a} 0 {d}" rpy="{alpha} 0 0"/><axis xyz="0 0 1"/>'
            f'<limit lower="{low}" upper="{high}" velocity="{speed_rad_s}" effort="{effort_Nm[i]}"/></joint>'
        )
        parent, (a, d, alpha) = child, dh[i]
    return "".join((*elements, fixed(parent, FLANGE, (a, 0.0, d), (alpha, 0.0, 0.0))))


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


def written(name: str, elements: str) -> Path:
    """Return the path of the URDF of these elements, in the user's cache; it is written once per content."""
    text = f'<robot name="{name}">{elements}</robot>'
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tactus"
    path = folder / f"{name}_{hashlib.sha256(text.encode()).hexdigest()[:12]}.urdf"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # Several processes may start at once: each writes its own file, and the rename is atomic.
        with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".urdf", delete=False) as file:
            file.write(text)
        os.replace(file.name, path)
    return path


def middle(limits_rad: Array) -> Array:
    """Return the middle of joint limits (joints, 2)."""
    return np.asarray(limits_rad).mean(axis=1)
