"""What a way of moving the robot by hand has to offer."""

from typing import Protocol, TypeVar

import numpy as np

from tactus_core.geometry import rigid, turned_towards
from tactus_core.types import Array, RobotState, Target

R = TypeVar("R", contravariant=True)


class Motion(Protocol[R]):
    """Turns readings of a device into targets, from an engagement on. `Operator` calls it, and judges what is fresh."""

    def refusal(self, reading: R, state: RobotState) -> str:
        """Say why the device may not take the robot over as both stand now, and what mends it; empty: it may."""
        ...

    def engage(self, reading: R, state: RobotState) -> None:
        """Begin: where the robot is, as `state` has it, belongs to where the device is now."""
        ...

    def target(self, reading: R, state: RobotState, dt_s: float) -> Target:
        """Return the target `dt_s` after the last one; the first is where control began. Raises DataError: not to be believed."""
        ...


def pose_towards(T_from: Array, T_to: Array, limit_m: float, limit_rad: float) -> Array:
    """Return the pose on the way from `T_from` to `T_to` (4,4), no farther than the limits from `T_from`."""
    way = T_to[:3, 3] - T_from[:3, 3]
    share = limit_m / max(float(np.linalg.norm(way)), limit_m, 1e-12)
    R, _ = turned_towards(T_from[:3, :3], T_to[:3, :3], limit_rad)
    return rigid(T_from[:3, 3] + share * way, R)
