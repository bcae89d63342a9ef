"""Poses, rotations and their short forms. Quaternions are xyzw; T is (4,4) float64."""

from collections.abc import Sequence
from math import cos, isfinite, sqrt

import numpy as np
import pinocchio as pin

from tactus_core.errors import DataError
from tactus_core.types import Array

_IDENTITY = np.eye(4)  # copied, which takes a fifth of the time of making one


def rigid(position: Array, R: Array) -> Array:
    """Return T (4,4) of a position (3,) and a rotation matrix (3,3)."""
    T = _IDENTITY.copy()
    T[:3, :3] = R
    T[:3, 3] = position
    return T


def pose7(T: Array) -> Array:
    """Return `[x y z, qx qy qz qw]` of T, with qw ≥ 0 (q and −q are one rotation; a recording should not jump between them)."""
    values = np.asarray(pin.SE3ToXYZQUAT(pin.SE3(T)))
    if values[6] < 0.0:
        values[3:] = -values[3:]
    return values


def from_pose7(values: Array) -> Array:
    """Return T of `[x y z, qx qy qz qw]`."""
    return np.asarray(pin.XYZQUATToSE3(np.asarray(values[:7], dtype=np.float64)).homogeneous)


def checked_pose(values: Sequence[float], source: str) -> Array:
    """Return T of `[x y z, qx qy qz qw]`; raises DataError where that is no pose: a quaternion of zeros would pass for no rotation."""
    x, y, z, w = values[3:]
    # Written so that NaN fails as well.
    if not (all(map(isfinite, values)) and abs(x * x + y * y + z * z + w * w - 1.0) < 1e-3):
        raise DataError(f"{source}: expected finite positions and a unit quaternion, got {list(values)}. The message was not used.")
    return from_pose7(np.array(values, dtype=np.float64))


def inverse(T: Array) -> Array:
    """Return T⁻¹ of a rigid transform."""
    out = _IDENTITY.copy()
    out[:3, :3] = T[:3, :3].T
    out[:3, 3] = -T[:3, :3].T @ T[:3, 3]
    return out


def rotation_vector(R: Array) -> Array:
    """Return the rotation vector (3,) [rad] of a rotation matrix."""
    return np.asarray(pin.log3(np.ascontiguousarray(R)))


def rotation_matrix(vector_rad: Array) -> Array:
    """Return the rotation matrix of a rotation vector (3,) [rad]."""
    return np.asarray(pin.exp3(np.asarray(vector_rad, dtype=np.float64)))


def turned_towards(R_from: Array, R_to: Array, limit_rad: float) -> tuple[Array, bool]:
    """Return the rotation on the way from `R_from` to `R_to`, no farther than `limit_rad`, and whether it is short of `R_to`."""
    if np.vdot(R_from, R_to) >= 1.0 + 2.0 * cos(limit_rad):  # the trace of the turn tells its angle
        return R_to, False
    turn = rotation_vector(R_from.T @ R_to)
    return R_from @ rotation_matrix(turn * (limit_rad / max(sqrt(turn @ turn), limit_rad, 1e-12))), True


def rot6d(R: Array) -> Array:
    """Return the first two columns of R, column after column (Zhou et al. 2019, continuous in R)."""
    return R[:3, :2].T.reshape(6)


def from_rot6d(values: Array) -> Array:
    """Return the rotation matrix nearest in the Gram-Schmidt sense to six numbers, as a network gives them.

    Raises DataError for columns that are zero, parallel or not finite, of which no rotation can be made.
    """
    a, b = np.asarray(values[:3], dtype=np.float64), np.asarray(values[3:6], dtype=np.float64)
    normal = pin.skew(a) @ b  # a × b; np.cross takes ten times as long
    area = sqrt(normal @ normal)
    if not 1e-6 < area < np.inf:
        raise DataError(f"six numbers that make no rotation: {values}; expected two columns that are not parallel. Check what gave them.")
    x, z = a / sqrt(a @ a), normal / area
    return np.stack([x, pin.skew(z) @ x, z], axis=1)


def rotation_vectors(R: Array) -> Array:
    """Return the rotation vectors (n, 3) [rad] of rotation matrices (n, 3, 3), for angles below π − 1e-6."""
    twice_sine = np.stack([R[:, 2, 1] - R[:, 1, 2], R[:, 0, 2] - R[:, 2, 0], R[:, 1, 0] - R[:, 0, 1]], axis=1)
    sine = 0.5 * np.sqrt(np.einsum("ij,ij->i", twice_sine, twice_sine))
    angle = np.arctan2(sine, 0.5 * (np.einsum("ijj->i", R) - 1.0))
    # The floor keeps 0/0 out; where it acts the vector is below 1e-12 anyway.
    return (0.5 * angle / np.maximum(sine, 1e-12))[:, None] * twice_sine
