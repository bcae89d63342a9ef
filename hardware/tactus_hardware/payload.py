"""What a force/torque sensor feels of its own tool: found by a motion, and taken out of its readings.

All here is in the sensor's frame, about its origin, and a wrench is (6,) force_N then torque_Nm that the ENVIRONMENT applies to the TOOL: a
tool of mass m that hangs still is then felt as m·g downwards, for gravity is environment too. The sensor must measure by that sign
already (`Mounting`). Force: f = m·g + b_f. Torque: τ = c × m·g + b_τ. Both are linear in m, m·c and the biases: least squares over
postures finds them. They hold while the tool stands still or moves gently: no inertial force is modelled.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tactus_core.errors import DataError
from tactus_core.types import Array

G_M_S2 = 9.80665
MIN_POSTURES = 4
# Of gravity's directions over the postures: the root mean square by which they spread along a line, 1 being the whole of it. Along two
# lines they have to: along one only, no torque tells where on that line the centre of mass is.
_MIN_SPREAD, _LINES = 0.2, 2
_MIN_MASS_KG = 0.01
_MAX_RESIDUAL_N, _MAX_RESIDUAL_NM = 2.0, 0.2


@dataclass(frozen=True)
class Payload:
    """mass_kg; center_m (3,): its centre of mass; bias (6,): N and Nm that the sensor reads with nothing attached.

    residual_N, residual_Nm: root mean square of what the fit leaves of forces and of torques, per axis.
    """

    mass_kg: float
    center_m: Array
    bias: Array
    residual_N: float = 0.0
    residual_Nm: float = 0.0

    def felt(self, R_base_sensor: Array) -> Array:
        """Return the wrench (6,) that the sensor reads of the tool alone, at rest, its axes (3,3) in a base whose z points up."""
        weight = -self.mass_kg * G_M_S2 * R_base_sensor[2]
        return np.concatenate([weight, np.cross(self.center_m, weight)]) + self.bias

    def compensated(self, wrench: Array, R_base_sensor: Array) -> Array:
        """Return what of a wrench (6,) others than gravity apply to the tool; NaN where the posture or the wrench is not finite."""
        return wrench - self.felt(R_base_sensor)


def identify(wrenches: Array, R_base_sensor: Sequence[Array] | Array) -> Payload:
    """Find the payload from readings at rest: wrenches (n, 6), and the sensor's axes (n, 3, 3) in a base whose z points up.

    Average each posture's readings first. Raises DataError for fewer than four postures, for tilts that leave a direction open (it says
    which to add), and for readings that no payload explains.
    """
    readings, R = np.asarray(wrenches, dtype=np.float64), np.asarray(R_base_sensor, dtype=np.float64)
    _check_shapes(readings, R)
    gravity = -G_M_S2 * R[:, 2]  # of the base's −z, in the sensor's axes
    _check_tilts(gravity / G_M_S2)
    # Forces: m and three biases. Torques: m·c and three biases; c × m·g, by its three columns.
    forces = np.concatenate([np.concatenate([g[:, None], np.eye(3)], axis=1) for g in gravity])
    torques = np.concatenate([np.concatenate([np.cross(np.eye(3), g).T, np.eye(3)], axis=1) for g in gravity])
    force, force_rest_N = _solve(forces, readings[:, :3].reshape(-1))
    torque, torque_rest_Nm = _solve(torques, readings[:, 3:].reshape(-1))
    mass_kg = float(force[0])
    if force_rest_N > _MAX_RESIDUAL_N or torque_rest_Nm > _MAX_RESIDUAL_NM or mass_kg < _MIN_MASS_KG:
        raise DataError(
            f"no payload explains these readings: mass {mass_kg:.3f} kg, and {force_rest_N:.2f} N, {torque_rest_Nm:.3f} Nm are left per "
            f"axis; expected at least {_MIN_MASS_KG} kg, and below {_MAX_RESIDUAL_N} N and {_MAX_RESIDUAL_NM} Nm. Check that nothing "
            "touched the tool, that the arm stood still, the sensor's mounting, and the sign of its wrench (what the environment applies "
            "to the tool)."
        )
    return Payload(mass_kg, torque[:3] / mass_kg, np.concatenate([force[1:], torque[3:]]), force_rest_N, torque_rest_Nm)


def _solve(matrix: Array, values: Array) -> tuple[Array, float]:
    """Return the least-squares solution, and the root mean square of what it leaves."""
    solution: Array = np.linalg.lstsq(matrix, values, rcond=None)[0].astype(np.float64)
    return solution, float(np.sqrt(np.mean((matrix @ solution - values) ** 2)))


def _check_shapes(readings: Array, R: Array) -> None:
    n = len(readings)
    if readings.shape != (n, 6) or R.shape != (n, 3, 3):
        raise DataError(f"readings {readings.shape} and rotations {R.shape}; expected (n, 6) and (n, 3, 3), one of each per posture.")
    if n < MIN_POSTURES:
        raise DataError(f"{n} postures; a payload needs at least {MIN_POSTURES}. Tilt the tool about two axes, and read again.")
    bad = [i for i in range(n) if not (np.isfinite(readings[i]).all() and np.allclose(R[i] @ R[i].T, np.eye(3), atol=1e-6))]
    if bad:
        raise DataError(f"postures {bad} hold numbers that are not finite, or no rotation. Leave them out, and see what recorded them.")


def _check_tilts(down: Array) -> None:
    """Raise DataError unless gravity's directions (n, 3), as the sensor saw them, spread along two lines."""
    mean = down.mean(axis=0)
    spread, lines = np.linalg.svd(down - mean)[1:]
    spread = spread / np.sqrt(len(down))
    lacking = _LINES - int(np.sum(spread >= _MIN_SPREAD))
    if lacking > 0:
        # The sensor's axes that lie most in what is not covered; of equals, those across to where gravity points all the time.
        uncovered = np.linalg.norm(lines[spread < _MIN_SPREAD], axis=0)
        axes = sorted("xyz", key=lambda axis: (-round(uncovered["xyz".index(axis)], 3), abs(mean["xyz".index(axis)])))
        raise DataError(
            f"the postures leave directions open: gravity's direction, as the sensor saw it, spreads by {spread[0]:.2f} along one line and "
            f"{spread[1]:.2f} along another, and each has to reach {_MIN_SPREAD}. Add postures in which the sensor's "
            f"{' and then its '.join(axes[:lacking])} axis is tilted towards gravity, up and down if you can."
        )
