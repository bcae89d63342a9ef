"""Under impedance control the force is stiffness × (target − measured): bounding the second bounds the first."""

from math import sqrt

from tactus_core.geometry import rigid
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.motion import turn_towards
from tactus_core.guard.types import Context, Reason
from tactus_core.types import Target


class ReferenceError:
    """Draws the target straight towards the measured pose until it is within the limits along and across the tool's axis, and in rotation.

    The whole offset shrinks, not one component: the result lies between two points of the workspace, and so inside it.
    """

    def __init__(self, config: GuardConfig) -> None:
        self._normal_m, self._tangential_m = config.max_normal_error_m, config.max_tangential_error_m
        self._rotation_rad = config.max_rotation_error_rad

    def apply(self, target: Target, context: Context) -> tuple[Target | None, Reason | None]:
        """See `Stage`."""
        measured = context.state.T_base_tcp
        error = target.T_base_tcp[:3, 3] - measured[:3, 3]
        axis = measured[:3, 2]
        normal = axis @ error
        across = error - normal * axis
        excess = max(abs(float(normal)) / self._normal_m, sqrt(across @ across) / self._tangential_m, 1.0)
        R, turned = turn_towards(measured[:3, :3], target.T_base_tcp[:3, :3], self._rotation_rad)
        if excess == 1.0 and not turned:
            return target, None
        return Target(rigid(measured[:3, 3] + error / excess, R), target.hand_rad), Reason.REFERENCE_ERROR
