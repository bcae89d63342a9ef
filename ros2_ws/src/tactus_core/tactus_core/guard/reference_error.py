"""Under impedance control the force is stiffness × (target − measured): bounding the second bounds the first."""

from math import sqrt

import numpy as np

from tactus_core.geometry import rigid, turned_towards
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import Context, Reason
from tactus_core.types import Array, RobotState, Target


class ReferenceError:
    """Draws the target towards what is measured until it is in bounds: along and across the tool's axis, in rotation, in each joint.

    The tcp's whole offset shrinks, not one component: the result lies between two points of the workspace, and so inside it.
    """

    def __init__(self, config: GuardConfig) -> None:
        self._normal_m, self._tangential_m = config.max_normal_error_m, config.max_tangential_error_m
        self._rotation_rad, self._joint_rad, self._hand_rad = (
            config.max_rotation_error_rad,
            config.max_joint_error_rad,
            config.max_hand_error_rad,
        )

    def apply(self, target: Target, context: Context) -> tuple[Target | None, Reason | None]:
        """See `Stage`."""
        state = context.state
        T = target.T_base_tcp if target.arm_rad is not None else self._pose(target.T_base_tcp, state)
        arm = _near(target.arm_rad, state.arm_position_rad, self._joint_rad)
        hand = _near(target.hand_rad, state.hand_position_rad, self._hand_rad)
        if T is target.T_base_tcp and arm is target.arm_rad and hand is target.hand_rad:
            return target, None
        return Target(T, hand, arm), Reason.REFERENCE_ERROR

    def _pose(self, T: Array, state: RobotState) -> Array:
        measured = state.T_base_tcp
        error = T[:3, 3] - measured[:3, 3]
        normal = float(measured[:3, 2].dot(error))
        across = sqrt(max(float(error.dot(error)) - normal * normal, 0.0))
        excess = max(abs(normal) / self._normal_m, across / self._tangential_m, 1.0)
        R, turned = turned_towards(measured[:3, :3], T[:3, :3], self._rotation_rad)
        return T if excess == 1.0 and not turned else rigid(measured[:3, 3] + error / excess, R)


def _near(rad: Array | None, measured_rad: Array | None, limit_rad: float) -> Array | None:
    if rad is None or measured_rad is None:
        return rad
    if np.abs(rad - measured_rad).max() <= limit_rad:
        return rad
    return np.minimum(np.maximum(rad, measured_rad - limit_rad), measured_rad + limit_rad)
