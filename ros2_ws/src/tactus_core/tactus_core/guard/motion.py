"""Going part of a way: shared by the stages that limit motion."""

from math import sqrt

from tactus_core.geometry import rigid, rotation_matrix, rotation_vector
from tactus_core.types import Array, Target


def shorten(vector: Array, limit: float) -> tuple[Array, bool]:
    """Return `vector` no longer than `limit`, and whether it was."""
    length = sqrt(vector @ vector)
    return (vector, False) if length <= limit else (vector * (limit / length), True)


def turn_towards(R_from: Array, R_to: Array, limit_rad: float) -> tuple[Array, bool]:
    """Return the rotation on the way from `R_from` to `R_to`, no farther than `limit_rad`, and whether it is short of `R_to`."""
    turn, cut = shorten(rotation_vector(R_from.T @ R_to), limit_rad)
    return (R_from @ rotation_matrix(turn), True) if cut else (R_to, False)


def between(start: Target, end: Target, share: float) -> Target:
    """Return the pose `share` (0..1) of the way from `start` to `end`; the hand is that of `end`."""
    p_start, R_start = start.T_base_tcp[:3, 3], start.T_base_tcp[:3, :3]
    turn = rotation_vector(R_start.T @ end.T_base_tcp[:3, :3])
    position = p_start + share * (end.T_base_tcp[:3, 3] - p_start)
    return Target(rigid(position, R_start @ rotation_matrix(share * turn)), end.hand_rad)
