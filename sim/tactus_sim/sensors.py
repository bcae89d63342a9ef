"""What the simulated robot can measure: the wrist's wrench, and taxels on the fingertips."""

import numpy as np
import pybullet as p

from tactus_core.types import Array
from tactus_sim.arm import ArmModel
from tactus_sim.robot import FINGERTIP_LINKS, PAD_LINK, WRIST_JOINT, FINGERTIP_RADIUS_m
from tactus_sim.scene import Scene

_GRAVITY_m_s2 = np.array([0.0, 0.0, -9.81])
TAXELS_PER_FINGER = 12
_SPREAD_m = 0.004  # how far a contact is felt around its point


class WristSensor:
    """Force and torque at the flange, as the environment's wrench on the tool at the tcp; the weight behind the sensor is removed."""

    def __init__(self, scene: Scene, arm: ArmModel) -> None:
        """Switch the sensor on."""
        self._scene, self._arm = scene, arm
        self._joint = scene.joints[WRIST_JOINT]
        self._mass_kg, self._com_m = arm.payload
        p.enableJointForceTorqueSensor(scene.robot, self._joint, True, physicsClientId=scene.client)

    def read(self) -> Array:
        """Return force_N, torque_Nm (6,) that the environment applies to the tool, in the tcp frame; `arm.update` must be current.

        Bullet reports what the parent applies to the child in the child's frame: the opposite of the load.
        """
        reaction = np.array(p.getJointState(self._scene.robot, self._joint, physicsClientId=self._scene.client)[2])
        weight_N = self._mass_kg * (self._arm.placement(self._arm.wrist)[:3, :3].T @ _GRAVITY_m_s2)
        force = -reaction[:3] - weight_N
        torque = -reaction[3:] - cross(self._com_m, weight_N)
        lever = np.array([0.0, 0.0, self._scene.tool.tcp_from_flange_m])
        return np.concatenate([force, torque - cross(lever, force)])


def cross(a: Array, b: Array) -> Array:
    """Return a × b of two (3,); numpy's own takes 20 µs, which is a tenth of a physics step."""
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


class Taxels:
    """A patch of taxels on each fingertip's sphere; contacts with the pad are spread over them."""

    def __init__(self, scene: Scene) -> None:
        """Lay out the taxels around the direction in which each fingertip meets the pad."""
        self._scene = scene
        self._tips = [scene.links[name] for name in FINGERTIP_LINKS]
        self._pad = scene.links[PAD_LINK]
        self.positions_m = np.stack([_patch() for _ in self._tips])

    def read(self) -> tuple[Array, Array]:
        """Return taxels (4, 12, 6): x y z [m] fx fy fz [N] on the finger, in its own frame; and the normal force per finger (4,) [N]."""
        client, robot = self._scene.client, self._scene.robot
        normal_N = np.zeros(4)
        forces = np.zeros((4, TAXELS_PER_FINGER, 3))
        points = [q for q in p.getContactPoints(robot, robot, physicsClientId=client) if q[9] > 0.0]
        if points:
            links = p.getLinkStates(robot, self._tips, computeForwardKinematics=True, physicsClientId=client)
            R_tips = np.array([p.getMatrixFromQuaternion(link[5]) for link in links]).reshape(-1, 3, 3)
            a_is_tip = np.array([q[3] in self._tips for q in points])
            finger = np.array([self._tips.index(q[3] if q[3] in self._tips else q[4]) for q in points])
            pressure_N, normal = np.array([q[9] for q in points]), np.array([q[7] for q in points])
            sign = np.where(a_is_tip, pressure_N, -pressure_N)  # the normal points from B to A: onto A
            where = np.array([q[5] if q[3] in self._tips else q[6] for q in points]) - np.array([links[i][4] for i in finger])
            R = R_tips[finger]
            force_N, at_m = (
                np.einsum("nij,ni->nj", R, values) for values in (sign[:, None] * normal, where)
            )  # by Rᵀ: into the tip's frame
            share = np.exp(-((self.positions_m[finger] - at_m[:, None]) ** 2).sum(axis=2) / (2 * _SPREAD_m**2)) + 1e-12
            share /= share.sum(axis=1, keepdims=True)
            np.add.at(forces, finger, share[:, :, None] * force_N[:, None])
            np.add.at(normal_N, finger, pressure_N)
        return np.concatenate([self.positions_m, forces], axis=2), normal_N


def _patch() -> Array:
    """Return taxel positions (12, 3) on the half of a fingertip that faces away from the finger and the palm's side."""
    index = np.arange(TAXELS_PER_FINGER) + 0.5
    height = 1.0 - index / TAXELS_PER_FINGER  # a Fibonacci spiral covers a cap evenly
    angle = np.pi * (1 + 5**0.5) * index
    ring = np.sqrt(1.0 - height**2)
    cap = np.stack([height, ring * np.cos(angle), ring * np.sin(angle)], axis=1)
    tilt = np.pi / 4  # contacts lie between the tip's x (finger pad) and z (finger end)
    R = np.array([[np.cos(tilt), 0.0, -np.sin(tilt)], [0.0, 1.0, 0.0], [np.sin(tilt), 0.0, np.cos(tilt)]])
    return np.asarray(FINGERTIP_RADIUS_m * cap @ R.T)


class Noise:
    """Sensor noise of one episode, and a bias that the calibration left."""

    def __init__(self, seed: int) -> None:
        """Draw the biases that `seed` determines."""
        self._rng = np.random.default_rng([seed, 1])
        self._bias = self._rng.normal(0.0, [0.15, 0.15, 0.15, 0.005, 0.005, 0.005])

    def wrench(self, wrench: Array) -> Array:
        """Return a measured wrench (6,)."""
        return wrench + self._bias + self._rng.normal(0.0, [0.1, 0.1, 0.1, 0.004, 0.004, 0.004])

    def touch(self, force_N: Array) -> Array:
        """Return measured fingertip forces (4,), never negative."""
        return np.maximum(force_N + self._rng.normal(0.0, 0.05, force_N.shape), 0.0)
