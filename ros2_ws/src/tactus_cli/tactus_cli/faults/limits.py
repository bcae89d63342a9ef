"""Whether commands kept the guard's limits, judged at the device's side and written anew: nothing of the guard's chain is used here.

Speed, acceleration and jerk are divided differences over the times at which the guard made the commands: where motion between them keeps
a limit, so does the difference, however uneven the times (mean value theorem).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tactus_core.types import Array

# A share for what rounding and quaternions cost, and the smallest amounts that count.
_SLACK = 1.01
_EPSILON_M = 1e-6
_EPSILON_RAD = 1e-5
# Where the guard could not run for longer than this, the device was told to stand still: what comes then begins from rest.
STALL_S = 0.02
_RATES = ("speed", "acceleration", "jerk")


@dataclass(frozen=True)
class Limits:
    """The guard's limits, as its parameters name them, and the hand's joint limits. NaN: no such limit.

    workspace: (2,3) [m]. tcp: speed, acceleration, jerk [m/s, m/s², m/s³]. turn: speed, acceleration, jerk [rad]. hand: the same.
    error: normal [m], tangential [m], rotation [rad]. hand_rad: (2, joints).
    """

    workspace_m: Array
    tcp: tuple[float, float, float]
    turn: tuple[float, float, float]
    hand: tuple[float, float, float]
    error: tuple[float, float, float]
    hand_rad: Array

    @classmethod
    def of(cls, config: Any, hand_rad: Array) -> "Limits":
        """Return the limits of a `GuardConfig`, by the names of its fields."""

        def rates(unit: str, of: str = "") -> tuple[float, float, float]:
            return tuple(
                float(getattr(config, f"max_{of}{rate}_{unit}_s{power}", np.nan))
                for rate, power in zip(_RATES, ("", "2", "3"), strict=True)
            )

        error = (config.max_normal_error_m, config.max_tangential_error_m, config.max_rotation_error_rad)
        box = np.array([config.workspace_low_m, config.workspace_high_m])
        return cls(box, rates("m"), rates("rad"), rates("rad", "hand_"), error, hand_rad)


@dataclass(frozen=True)
class Command:
    """What the device was told at one time. made_s: when the guard made it. pose: (7,). hand_rad: (joints,) or None.

    measured: (k,4,4) where the tcp was, a little while ago and now. begins: what was commanded before is no longer in force.
    """

    made_s: float
    pose: Array
    hand_rad: Array | None
    measured: Array
    begins: bool


@dataclass(frozen=True)
class Violation:
    """A limit that a command broke: which, when, by how much."""

    limit: str
    at_s: float
    value: float
    allowed: float


@dataclass(frozen=True)
class Motion:
    """Rates of the commanded tcp, one row per command, NaN where there are too few commands for it: (n, 3) speed, acceleration, jerk."""

    made_s: Array
    tcp: Array
    turn: Array
    hand: Array


def motion(commands: Sequence[Command]) -> Motion:
    """Return how fast the commands move."""
    times = np.array([command.made_s for command in commands])
    joints = next((len(command.hand_rad) for command in commands if command.hand_rad is not None), 0)
    hands = np.array([np.full(joints, np.nan) if command.hand_rad is None else command.hand_rad for command in commands])
    tcp, turn, hand = (np.full((len(commands), 3), np.nan) for _ in range(3))
    starts = [i for i, command in enumerate(commands) if command.begins]
    for first, end in zip([0, *starts], [*starts, len(commands)], strict=True):
        rows = slice(first, end)
        t = times[rows]
        tcp[rows] = _norms(_rates(t, np.array([command.pose[:3] for command in commands[rows]]).reshape(-1, 3)))
        turn[rows] = _norms(_turning(t, np.array([command.pose[3:] for command in commands[rows]]).reshape(-1, 4)))
        if joints:
            hand[rows] = np.abs(_rates(t, hands[rows])).max(axis=2).T
    return Motion(times, tcp, turn, hand)


def check(commands: Sequence[Command], moved: Motion, limits: Limits) -> list[Violation]:
    """Return every violation; `moved` is the motion of the same commands."""
    found: list[Violation] = []
    for command in commands:
        found += _placement(command, limits)
    for name, rates, allowed in (("tcp", moved.tcp, limits.tcp), ("turn", moved.turn, limits.turn), ("hand", moved.hand, limits.hand)):
        for column, (rate, limit) in enumerate(zip(_RATES, allowed, strict=True)):
            # NaN compares as false: no rate, or no limit.
            for row in np.nonzero(rates[:, column] > limit * _SLACK + _EPSILON_RAD)[0]:
                found.append(Violation(f"{name} {rate}", float(moved.made_s[row]), float(rates[row, column]), limit))
    return found


def _placement(command: Command, limits: Limits) -> list[Violation]:
    """Return the limits that a command breaks by itself."""
    found: list[Violation] = []

    def judge(limit: str, value: float, allowed: float) -> None:
        if not value <= allowed:  # NaN fails
            found.append(Violation(limit, command.made_s, value, allowed))

    hand = command.hand_rad
    if not np.isfinite(command.pose).all() or (hand is not None and not np.isfinite(hand).all()):
        return [Violation("finite", command.made_s, float("nan"), 0.0)]
    judge("unit quaternion", abs(float(np.linalg.norm(command.pose[3:])) - 1.0), 1e-3)
    here = command.measured[:, :3, 3]
    # A robot that is outside of the box may be held where it is.
    outside = min((_outside(p, limits.workspace_m) for p in here), default=0.0)
    judge("workspace", _outside(command.pose[:3], limits.workspace_m), max(outside, 0.0) + _EPSILON_M)
    if hand is not None:
        excess = max(float((limits.hand_rad[0] - hand).max()), float((hand - limits.hand_rad[1]).max()))
        judge("hand limits", excess, _EPSILON_RAD)
    if len(here):
        errors = np.array([_error(command.pose, T) for T in command.measured]) / np.array(limits.error)
        judge("reference error", float(errors.max(axis=1).min()), _SLACK)
    return found


def _outside(position: Array, box: Array) -> float:
    return float(np.maximum(box[0] - position, position - box[1]).max())


def _error(pose: Array, T: Array) -> tuple[float, float, float]:
    """Return how far a pose is from T: along its z axis, across it, in rotation."""
    offset = pose[:3] - T[:3, 3]
    along = float(offset @ T[:3, 2])
    across = float(np.linalg.norm(offset - along * T[:3, 2]))
    return abs(along), across, _angle(_matrix(pose[3:]).T @ T[:3, :3])


def _rates(t: Array, values: Array) -> Array:
    """Return first to third divided differences, times 1, 2, 6: (3, n, d); NaN before there are enough values."""
    out = np.full((3, *values.shape), np.nan)
    difference = values
    for order in range(1, 4):
        span = t[order:] - t[:-order]
        with np.errstate(divide="ignore", invalid="ignore"):
            difference = order * (difference[1:] - difference[:-1]) / span[:, None]
        out[order - 1, order:] = difference
    return out


def _turning(t: Array, quaternions: Array) -> Array:
    """Return the rates of a rotation, of what the turns about the base's axes add up to: (3, n, 3)."""
    with np.errstate(invalid="ignore"):  # what is not finite is judged by itself
        R = [_matrix(q) for q in quaternions]
    turned = np.cumsum([np.zeros(3), *(_axial(after @ before.T) for before, after in itertools.pairwise(R))], axis=0)
    return _rates(t, turned[: len(t)])


def _norms(rates: Array) -> Array:
    return np.linalg.norm(rates, axis=2).T


def _matrix(q: Array) -> Array:
    x, y, z, w = q / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def _angle(R: Array) -> float:
    return float(np.linalg.norm(_axial(R)))


def _axial(R: Array) -> Array:
    """Return the rotation vector of a matrix."""
    twice_sine = np.array([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]])
    sine = 0.5 * float(np.linalg.norm(twice_sine))
    angle = float(np.arctan2(sine, 0.5 * (np.trace(R) - 1.0)))
    # Near zero, angle and sine are one; near a half turn the axis is lost, and the angle alone counts.
    return 0.5 * twice_sine * (angle / sine if sine > 1e-9 else 1.0) if angle < 3.1 else np.array([angle, 0.0, 0.0])
