"""A target must be a pose and a hand posture before it can be judged at all."""

from math import isfinite

from tactus_core.guard.types import Context, Reason
from tactus_core.types import Array, Target

# Rotations come through float32 and through quaternions of text files; farther off than this it is not a rotation.
_ROTATION_TOLERANCE = 1e-4
_FARTHEST_M = 100.0


class WellFormed:
    """Refuses a target with a wrong shape, NaN, infinity, an absurd distance, or a matrix that is no rotation.

    arm_joints, hand_joints: how many there are.
    """

    def __init__(self, arm_joints: int, hand_joints: int) -> None:
        self._arm_shape, self._hand_shape = (arm_joints,), (hand_joints,)

    def apply(self, target: Target, context: Context) -> tuple[Target | None, Reason | None]:
        """See `Stage`."""
        joints = ((target.arm_rad, self._arm_shape), (target.hand_rad, self._hand_shape))
        if is_pose(target.T_base_tcp) and all(rad is None or are_angles(rad, shape) for rad, shape in joints):
            return target, None
        return None, Reason.MALFORMED


def are_angles(rad: Array, shape: tuple[int, ...]) -> bool:
    """Say whether these are finite joint positions of that shape."""
    return rad.shape == shape and all(map(isfinite, rad.tolist()))


def is_pose(T: Array) -> bool:
    """Say whether T is a finite rigid transform (4,4) within reach of anything."""
    if T.shape != (4, 4):
        return False
    # In plain numbers: for nine of them that is several times as fast as arrays. `<=` is false for NaN.
    (a, b, c, x), (d, e, f, y), (g, h, i, z), last = T.tolist()
    if not (abs(x) <= _FARTHEST_M and abs(y) <= _FARTHEST_M and abs(z) <= _FARTHEST_M) or last != [0.0, 0.0, 0.0, 1.0]:
        return False
    products = (
        *(a * a + d * d + g * g - 1.0, b * b + e * e + h * h - 1.0, c * c + f * f + i * i - 1.0),
        *(a * b + d * e + g * h, a * c + d * f + g * i, b * c + e * f + h * i),
    )
    orthonormal = all(-_ROTATION_TOLERANCE <= product <= _ROTATION_TOLERANCE for product in products)
    return orthonormal and a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) > 0.0
