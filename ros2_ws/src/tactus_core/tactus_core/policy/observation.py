"""What a policy observes of the robot, computed in one place for training and for running. Layouts: docs/architecture.md."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import StaleError
from tactus_core.geometry import from_rot6d, rigid, rot6d, rotation_vectors
from tactus_core.history import STAMP_EPSILON_S, StateArrays
from tactus_core.policy.signals import FELT, ObservedSpec, felt_parts, felt_size
from tactus_core.types import Array

TOLERANCE_S = 0.02
Rows = NDArray[np.intp]


def low_dim(states: StateArrays, stamp_s: float, layout: Sequence[ObservedSpec]) -> Array:
    """Return the slow policy's observation (L,) as of `stamp_s`, un-normalised: the signals of `layout`, each time after time.

    Each time is answered by the last state at or before it. Raises StaleError where that is more than `TOLERANCE_S` older, or missing.
    """
    now = _rows_at(states, stamp_s, (0.0,))
    parts = [_SIGNALS[of.signal](states, _rows_at(states, stamp_s, of.at_s), now).ravel() for of in layout]
    return np.concatenate([np.empty(0), *parts])


def anchor(states: StateArrays, stamp_s: float) -> Array:
    """Return T_base_tcp (4,4) as of `stamp_s`, a rotation to the last digit; raises StaleError as `low_dim` does."""
    (row,) = _rows_at(states, stamp_s, (0.0,))
    return rigid(states.position_m[row], from_rot6d(rot6d(states.rotation[row])))


def _rows_at(states: StateArrays, stamp_s: float, at_s: Sequence[float]) -> Rows:
    wanted = stamp_s + np.array(at_s)
    index = np.searchsorted(states.stamp_s, wanted + STAMP_EPSILON_S, side="right") - 1
    age = wanted - states.stamp_s[index] if len(states.stamp_s) else np.full(len(wanted), np.inf)
    age[index < 0] = np.inf
    if not (age <= TOLERANCE_S).all():
        late = int(np.argmax(~(age <= TOLERANCE_S)))
        raise StaleError(
            f"no robot state within {TOLERANCE_S} s before t−{-at_s[late]:.1f} s of the observation at {stamp_s:.6f} s (the nearest is "
            f"{age[late]:.3f} s older, of {len(states.stamp_s)}). Wait until there is a history, or check the sensors' rate."
        )
    return index


def _pose(states: StateArrays, rows: Rows, now: Rows) -> Array:
    return np.concatenate((states.position_m[rows], _rot6d(states.rotation[rows])), axis=1)


def _relative_pose(states: StateArrays, rows: Rows, now: Rows) -> Array:
    R_now = states.rotation[now[0]]
    moved = (states.position_m[rows] - states.position_m[now[0]]) @ R_now
    return np.concatenate((moved, _rot6d(R_now.T @ states.rotation[rows])), axis=1)


def _rot6d(R: Array) -> Array:
    return R[:, :, :2].transpose(0, 2, 1).reshape(-1, 6)


# (states, rows to take, the row now) → (rows, size)
_SIGNALS: Mapping[str, Callable[[StateArrays, Rows, Rows], Array]] = {
    "tcp_pose": _pose,
    "tcp_pose_relative": _relative_pose,
    "wrench": lambda states, rows, now: states.wrench_tcp[rows],
    "fingertip_force": lambda states, rows, now: states.fingertip_force_N[rows],
    "arm_position": lambda states, rows, now: states.arm_position_rad[rows],
    "hand_position": lambda states, rows, now: states.hand_position_rad[rows],
}


def window(
    states: StateArrays,
    stamp_s: float,
    T_base_anchor: Array,
    now_s: float,
    dt_s: float,
    signals: Sequence[str] = FELT,
    before_s: float = 0.0,
) -> Array:
    """Return the fast head's window (n, W), un-normalised, oldest row first, of what is felt from `before_s` before `stamp_s` to `now_s`.

    n = 1 + how often `dt_s` fits in between. Row, of all signals:
    `[tau_s | wrench_tcp (6) | fingertip_force_N (4) | dz_m, rx_rad, ry_rad]`, tau and the displacement relative to `stamp_s` and the
    anchor. Grid times count back from now; each takes the last state at or before it, none from outside the span. Raises StaleError where
    there is no state in it.
    """
    begin_s = stamp_s - before_s
    first = int(np.searchsorted(states.stamp_s, begin_s - STAMP_EPSILON_S))
    if states.newest(now_s) < first:
        raise StaleError(
            f"no robot state between the observation at {stamp_s:.6f} s and now, {now_s:.6f} s ({len(states.stamp_s)} states kept). "
            "Check that joint_states, wrench and tactile arrive, and that all stamps are of one clock."
        )
    rows = int((now_s - begin_s + STAMP_EPSILON_S) / dt_s) + 1
    grid = now_s - dt_s * np.arange(rows - 1, -1, -1)
    index = np.searchsorted(states.stamp_s, grid + STAMP_EPSILON_S, side="right") - 1
    np.maximum(index, first, out=index)
    out = np.empty((rows, felt_size(signals)))
    for signal, part in felt_parts(signals).items():
        out[:, part] = _FELT[signal](states, index, stamp_s, T_base_anchor)
    return out


def _displacement(states: StateArrays, rows: Rows, stamp_s: float, T_base_anchor: Array) -> Array:
    R_anchor = T_base_anchor[:3, :3]
    dz_m = (states.position_m[rows] - T_base_anchor[:3, 3]) @ R_anchor[:, 2]
    return np.column_stack((dz_m, rotation_vectors(R_anchor.T @ states.rotation[rows])[:, :2]))


# (states, rows to take, stamp and anchor of the chunk) → (rows, size)
_FELT: Mapping[str, Callable[[StateArrays, Rows, float, Array], Array]] = {
    "age": lambda states, rows, stamp_s, T_base_anchor: (states.stamp_s[rows] - stamp_s)[:, None],
    "wrench": lambda states, rows, stamp_s, T_base_anchor: states.wrench_tcp[rows],
    "fingertip_force": lambda states, rows, stamp_s, T_base_anchor: states.fingertip_force_N[rows],
    "displacement": _displacement,
}
