"""Going part of a way: shared by what limits motion."""

from math import sqrt

from tactus_core.geometry import rotation_matrix, rotation_vector
from tactus_core.types import Array


def shorten(vector: Array, limit: float) -> tuple[Array, bool]:
    """Return `vector` no longer than `limit`, and whether it was."""
    length = sqrt(vector @ vector)
    return (vector, False) if length <= limit else (vector * (limit / length), True)


def turn_towards(R_from: Array, R_to: Array, limit_rad: float) -> tuple[Array, bool]:
    """Return the rotation on the way from `R_from` to `R_to`, no farther than `limit_rad`, and whether it is short of `R_to`."""
    turn, cut = shorten(rotation_vector(R_from.T @ R_to), limit_rad)
    return (R_from @ rotation_matrix(turn), True) if cut else (R_to, False)
