"""A robot's own URDF made fit for physics: masses, solids, meshes where they lie, and a hand that is one body."""

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pinocchio as pin

from tactus_core.robots.files import written
from tactus_core.types import Array, Capsule, RobotDescription
from tactus_sim.free.bodies import Body, Build

_PACKAGE = "package://"
_NO_CAPSULE = Capsule("", (0.0, 0.0, -0.02), (0.0, 0.0, 0.02), 0.04)  # about what hides in an arm's wrist
# Bullet takes a link without a mass for one of 1 kg.
_LEAST_kg, _LEAST_kgm2 = 1e-4, 1e-6
TOOL = "tool"


def physical_urdf(build: Build, robot: RobotDescription, draw: bool = False) -> Path:
    """Return the path of the URDF: that of the description, with masses and solids, and without the joints of a hand.

    What hangs on the sensor's joint is a link of its own there, `TOOL`. draw: with the meshes that are only looked at, which load slowly.
    """
    path = robot.urdf()
    tree = ET.parse(path).getroot()
    _drop_hand(tree, robot)
    capsules: dict[str, list[Capsule]] = {}
    for capsule in robot.capsules:
        capsules.setdefault(capsule.link, []).append(capsule)
    bodies = {body.link: body for body in build.bodies}
    for link in tree.findall("link"):
        name = link.get("name", "")
        link.extend(_collision(capsule) for capsule in capsules.get(name, ()))
        for visual in link.findall("visual") if not draw else ():
            link.remove(visual)
        if link.find("inertial") is not None:
            continue
        body = bodies.get(name)
        if body is not None and build.sensor_joint == f"{name}_joint":
            # Bullet tells a joint's wrench about the centre of mass behind it: that of a mere point on the flange is the flange.
            tree.extend(_tool(name, _inertial(body, capsules[name][0])))
            body = None
        link.append(_point() if body is None else _inertial(body, capsules.get(name, [_NO_CAPSULE])[0]))
    for mesh in tree.iter("mesh"):
        mesh.set("filename", _found(mesh.get("filename", ""), path))
    return written(f"{robot.name}_physics", ET.tostring(tree, encoding="unicode"))


def _drop_hand(tree: ET.Element, robot: RobotDescription) -> None:
    dropped = set()
    for joint in tree.findall("joint"):
        child, parent = joint.find("child"), joint.find("parent")
        parent_name = "" if parent is None else parent.get("link", "")
        if joint.get("name") in robot.hand_joints or parent_name in dropped:
            dropped.add("" if child is None else child.get("link", ""))
            tree.remove(joint)
    for link in tree.findall("link"):
        if link.get("name") in dropped:
            tree.remove(link)


def _tool(parent: str, inertial: ET.Element) -> list[ET.Element]:
    link, joint = ET.Element("link", name=TOOL), ET.Element("joint", name=f"{TOOL}_joint", type="fixed")
    link.append(inertial)
    ET.SubElement(joint, "parent", link=parent)
    ET.SubElement(joint, "child", link=TOOL)
    return [link, joint]


def _collision(capsule: Capsule) -> ET.Element:
    start, end = np.array(capsule.start_m), np.array(capsule.end_m)
    turn = pin.Quaternion.FromTwoVectors(np.array([0.0, 0.0, 1.0]), end - start).toRotationMatrix()
    collision = ET.Element("collision")
    ET.SubElement(collision, "origin", xyz=_text((start + end) / 2), rpy=_text(pin.rpy.matrixToRpy(turn)))
    geometry = ET.SubElement(collision, "geometry")
    ET.SubElement(geometry, "capsule", radius=str(capsule.radius_m), length=str(np.linalg.norm(end - start)))
    return collision


def _inertial(body: Body, capsule: Capsule) -> ET.Element:
    """Return mass and inertia of a body shaped about like `capsule`: a cylinder as long as that, caps and all."""
    along = np.array(capsule.end_m) - np.array(capsule.start_m)
    length = float(np.linalg.norm(along))
    axis, whole, radius = along / length, length + 2.0 * capsule.radius_m, capsule.radius_m
    across, about = body.mass_kg * (3.0 * radius**2 + whole**2) / 12.0, body.mass_kg * radius**2 / 2.0
    return _inertia(body.mass_kg, body.center_m, across * np.eye(3) + (about - across) * np.outer(axis, axis))


def _point() -> ET.Element:
    return _inertia(_LEAST_kg, (0.0, 0.0, 0.0), _LEAST_kgm2 * np.eye(3))


def _inertia(mass_kg: float, center_m: tuple[float, float, float], inertia_kgm2: Array) -> ET.Element:
    inertial = ET.Element("inertial")
    ET.SubElement(inertial, "origin", xyz=_text(np.array(center_m)))
    ET.SubElement(inertial, "mass", value=str(mass_kg))
    entries = {f"i{a}{b}": str(inertia_kgm2[i, j]) for i, a in enumerate("xyz") for j, b in enumerate("xyz") if i <= j}
    ET.SubElement(inertial, "inertia", entries)
    return inertial


def _found(name: str, urdf: Path) -> str:
    """Return the path of a mesh: packages lie beside each other, and the URDF in one of them."""
    if not name.startswith(_PACKAGE):
        return name
    rest = name.removeprefix(_PACKAGE)
    return next((str(parent / rest) for parent in urdf.resolve().parents if (parent / rest).exists()), name)


def _text(numbers: Array) -> str:
    return " ".join(map(str, numbers.tolist()))
