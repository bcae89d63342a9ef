"""A target must be a pose and a hand posture before it can be judged at all."""

import numpy as np

from tactus_core.guard.types import Context, Reason
from tactus_core.types import Target

# Rotations come through float32 and through quaternions of text files; farther off than this it is not a rotation.
_ROTATION_TOLERANCE = 1e-4
_FARTHEST_M = 100.0


class WellFormed:
    """Refuses a target with a wrong shape, NaN, infinity, an absurd distance, or a matrix that is no rotation. hand_joints: how many."""

    def __init__(self, hand_joints: int) -> None:
        self._hand_shape = (hand_joints,)

    def apply(self, target: Target, context: Context) -> tuple[Target | None, Reason | None]:
        """See `Stage`."""
        hand = target.hand_rad
        if is_pose(target.T_base_tcp) and (hand is None or (hand.shape == self._hand_shape and np.isfinite(hand).all())):
            return target, None
        return None, Reason.MALFORMED


def is_pose(T: np.ndarray) -> bool:
    """Say whether T is a finite rigid transform (4,4) within reach of anything."""
    # `<=` is false for NaN, and bounds the numbers before they are multiplied.
    if T.shape != (4, 4) or not np.abs(T).max() <= _FARTHEST_M or T[3].tolist() != [0.0, 0.0, 0.0, 1.0]:
        return False
    R = T[:3, :3]
    return bool(np.abs(R.T @ R - np.eye(3)).max() <= _ROTATION_TOLERANCE and np.linalg.det(R) > 0.0)
