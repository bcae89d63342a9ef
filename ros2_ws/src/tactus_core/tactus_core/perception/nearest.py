"""What is around a hand: from each of its links to the nearest point of a cloud (RobustDexGrasp, 2025: 17 links, 51 numbers)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tactus_core.config import param
from tactus_core.errors import DataError
from tactus_core.kinematics import HandKinematics
from tactus_core.types import Array, RobotDescription


@dataclass(frozen=True)
class HandConfig:
    """Whose hand."""

    robot: str = param(doc="Robot, by its entry point in 'tactus.robots'.")


def nearest(points_m: NDArray[np.floating], positions_m: Array) -> Array:
    """Return vectors (k, 3) from each position (k, 3) to the nearest of the points (n, 3), all in one frame.

    All distances at once: for the few hundred points of a cloud that is faster than making a tree. Raises DataError without points.
    """
    if not len(points_m):
        raise DataError("a cloud without points: nothing is nearest. Check the depth camera and the box of its encoder.")
    points = points_m.astype(np.float64)
    # |p − x|² without |x|², which is the same for all points.
    apart = np.square(points).sum(axis=1) - 2.0 * positions_m @ points.T
    return points[apart.argmin(axis=1)] - positions_m


class HandEncoder:
    """Joints and a cloud → features. links: names, in the order of the features."""

    def __init__(self, description: RobotDescription) -> None:
        self._kinematics = HandKinematics(description)
        self.links = self._kinematics.links

    def encode(self, arm_rad: Array, hand_rad: Array, points_m: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the vectors (3·links,) [m], link after link, in the tcp frame, so that where the robot stands does not matter.

        points_m (n, 3) in the base. The cloud may be older than the joints: an object that stood still is where it was.
        """
        positions_m, R_base_tcp = self._kinematics.positions(arm_rad, hand_rad)
        return (nearest(points_m, positions_m) @ R_base_tcp).astype(np.float32).reshape(-1)
