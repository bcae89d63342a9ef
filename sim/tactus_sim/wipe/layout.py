"""What an episode's seed decides: where the board is, what is written on it, and how it will be moved.

How far these may go is a `Ranges`: the usual ones, or those of a shift, on which a policy that learnt the usual ones is to go on learning.

Seeds below 100 000 are for demonstrations and training, 100 000–199 999 for tuning, above only for reported results.
"""

from dataclasses import dataclass

import numpy as np

from tactus_core.config import param
from tactus_core.geometry import rotation_matrix
from tactus_core.types import Array

DURATION_s = 16.0
BOARD_SIZE_m = (0.44, 0.50, 0.02)
BOARD_CENTRE_m = np.array([0.47, 0.0, 0.18])
MARK_SIZE_m = 0.014
_MARK_PITCH_m = 0.015
_ROWS = 3
_ROW_GAP_m = (0.055, 0.085)
_EVENT_GAP_s = (0.9, 2.5)  # about four moves in an episode
_EVENT_GAP_TAUGHT_s = (0.9, 1.7)  # demonstrations are disturbed more often: what is rare is hard to learn
_FIRST_TUNING_SEED = 100_000
_EVENT_TIME_s = 0.25
_EVENT_SIZE_m = (0.008, 0.015)
_EVENT_RANGE_m = 0.020  # the board's joint never leaves this range around its height
_PUSH_GAP_s = (1.5, 4.0)


@dataclass(frozen=True)
class Ranges:
    """What a shift may change: of the board, drawn for each episode, and of the arm."""

    friction: tuple[float, float] = param((0.3, 1.0), low=0.0, high=2.0, doc="Between pad and board.")
    stiffness_N_m: float = param(600.0, low=50.0, high=2000.0, doc="Of the arm along the tool's axis.")


USUAL = Ranges()
SHIFTS = {
    # An arm that gives way half as much, and a board that holds the pad back: what was pressed well is pressed too hard, and trembles.
    "stiffer": Ranges(friction=(0.6, 1.2), stiffness_N_m=1275.0),
}


@dataclass(frozen=True)
class Push:
    """A force on the wrist, in the base frame, during `start_s` … `end_s` after the first contact."""

    start_s: float
    end_s: float
    force_N: Array


@dataclass(frozen=True)
class Layout:
    """One episode. T_base_board (4,4): centre of the board's face, z along its outward normal. marks_m: (n, 2) in the board's plane.

    rows: for each mark, which written line it belongs to. Times of `moves` (start_s, change_m) and `pushes` count from the first contact.
    start_m: (3,) where the tcp starts, in base.
    """

    seed: int
    T_base_board: Array
    friction: float
    marks_m: Array
    rows: Array
    start_m: Array
    moves: tuple[tuple[float, float], ...]
    pushes: tuple[Push, ...]

    def board_motion(self, since_contact_s: float) -> tuple[float, float, float]:
        """Return displacement [m] along the normal, rate [m/s] and acceleration [m/s²]; each move follows a minimum-jerk profile."""
        offset = rate = acceleration = 0.0
        for start_s, change_m in self.moves:
            share = (since_contact_s - start_s) / _EVENT_TIME_s
            if share >= 1.0:
                offset += change_m
            elif share > 0.0:
                offset += change_m * share**3 * (10 - 15 * share + 6 * share**2)
                rate += change_m * 30 * share**2 * (1 - share) ** 2 / _EVENT_TIME_s
                acceleration += change_m * 60 * share * (1 - share) * (1 - 2 * share) / _EVENT_TIME_s**2
        return offset, rate, acceleration


def draw(seed: int, ranges: Ranges = USUAL, duration_s: float = 30.0) -> Layout:
    """Return the episode that `seed` determines; disturbances are drawn for `duration_s` after the first contact."""
    rng = np.random.default_rng(seed)
    tilt = np.radians(8.0) * np.sqrt(rng.uniform()) * _direction(rng)
    T = np.eye(4)
    T[:3, :3] = rotation_matrix(np.array([tilt[0], tilt[1], 0.0]))
    T[:3, 3] = BOARD_CENTRE_m + np.array([0.0, 0.0, rng.uniform(-0.02, 0.02)])
    marks, rows = _writing(rng)
    return Layout(
        seed=seed,
        T_base_board=T,
        friction=rng.uniform(*ranges.friction),
        marks_m=marks,
        rows=rows,
        start_m=np.array([0.40, 0.0, 0.265]) + rng.uniform([-0.03, -0.08, -0.01], [0.03, 0.08, 0.02]),
        moves=_moves(rng, duration_s, _EVENT_GAP_TAUGHT_s if seed < _FIRST_TUNING_SEED else _EVENT_GAP_s),
        pushes=_pushes(rng, duration_s),
    )


def _direction(rng: np.random.Generator) -> Array:
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def _writing(rng: np.random.Generator) -> tuple[Array, Array]:
    """Lines of marks along the board's y, the first nearest to the robot."""
    count = _ROWS
    gaps = rng.uniform(*_ROW_GAP_m, size=count - 1)
    first = rng.uniform(-0.09, 0.09 - gaps.sum())
    marks, rows = [], []
    for row, x in enumerate(first + np.concatenate([[0.0], np.cumsum(gaps)])):
        length = rng.uniform(0.08, 0.22)
        start = rng.uniform(-0.13, 0.13 - length)
        y = np.arange(start, start + length, _MARK_PITCH_m)
        marks.append(np.stack([x + rng.uniform(-0.004, 0.004, y.size), y], axis=1))
        rows.append(np.full(y.size, row))
    return np.concatenate(marks), np.concatenate(rows)


def _moves(rng: np.random.Generator, duration_s: float, gap_s: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    moves, time_s, offset = [], 0.3, 0.0
    while (time_s := time_s + rng.uniform(*gap_s)) < duration_s:
        change = rng.uniform(*_EVENT_SIZE_m) * rng.choice([-1.0, 1.0])
        if abs(offset + change) > _EVENT_RANGE_m:
            change = -change
        offset += change
        moves.append((time_s, change))
    return tuple(moves)


def _pushes(rng: np.random.Generator, duration_s: float) -> tuple[Push, ...]:
    pushes, time_s = [], 0.0
    while (time_s := time_s + rng.uniform(*_PUSH_GAP_s)) < duration_s:
        sideways = rng.uniform(4.0, 12.0) * _direction(rng)
        pushes.append(Push(time_s, time_s + rng.uniform(0.1, 0.3), np.array([*sideways, rng.uniform(-3.0, 3.0)])))
    return tuple(pushes)
