"""What a policy observes of the robot, computed in one place for training and for running. Layouts: docs/architecture.md."""

import numpy as np

from tactus_core.errors import StaleError
from tactus_core.geometry import rot6d, rotation_vectors
from tactus_core.history import STAMP_EPSILON_S, StateArrays
from tactus_core.policy.card import LOW_DIM_SIZE, WINDOW_SIZE
from tactus_core.types import Array

LOOKBACK_S = (0.0, 0.1, 0.2, 0.3)


def low_dim(states: StateArrays, stamp_s: float, tolerance_s: float = 0.02) -> Array:
    """Return the slow policy's observation (76,) as of `stamp_s`, un-normalised.

    `[pose now (9) | poses at −0.1, −0.2, −0.3 s relative to now (27) | wrenches (24) | fingertip forces (16)]`; each from the last
    state at or before its time. Raises StaleError where that is more than `tolerance_s` older, or missing.
    """
    wanted = stamp_s - np.array(LOOKBACK_S)
    index = np.searchsorted(states.stamp_s, wanted + STAMP_EPSILON_S, side="right") - 1
    age = wanted - states.stamp_s[index] if len(states.stamp_s) else np.full(len(wanted), np.inf)
    age[index < 0] = np.inf
    if not (age <= tolerance_s).all():
        late = int(np.argmax(~(age <= tolerance_s)))
        raise StaleError(
            f"no robot state within {tolerance_s} s before t−{LOOKBACK_S[late]:.1f} s of the observation at {stamp_s:.6f} s (the nearest "
            f"is {age[late]:.3f} s older, of {len(states.stamp_s)}). Wait {LOOKBACK_S[-1]} s after the start, or check the sensors' rate."
        )
    position, rotation = states.position_m[index], states.rotation[index]
    R_now = rotation[0]
    out = np.empty(LOW_DIM_SIZE)
    out[0:3], out[3:9] = position[0], rot6d(R_now)
    past = out[9:36].reshape(3, 9)
    past[:, :3] = (position[1:] - position[0]) @ R_now
    past[:, 3:] = (R_now.T @ rotation[1:])[:, :, :2].transpose(0, 2, 1).reshape(3, 6)
    out[36:60] = states.wrench_tcp[index].ravel()
    out[60:76] = states.fingertip_force_N[index].ravel()
    return out


def window(states: StateArrays, stamp_s: float, T_base_anchor: Array, now_s: float, dt_s: float) -> Array:
    """Return the fast head's window (n, 14), un-normalised, oldest row first; n = 1 + how often `dt_s` fits between `stamp_s` and `now_s`.

    Row: `[tau_s | wrench_tcp (6) | fingertip_force_N (4) | dz_m, rx_rad, ry_rad]`, tau and the displacement relative to `stamp_s` and the
    anchor. Grid times count back from now; each takes the last state at or before it, none from outside [stamp_s, now_s].
    Raises StaleError where there is no state in that span.
    """
    first = int(np.searchsorted(states.stamp_s, stamp_s - STAMP_EPSILON_S))
    last = int(np.searchsorted(states.stamp_s, now_s + STAMP_EPSILON_S, side="right")) - 1
    if last < first:
        raise StaleError(
            f"no robot state between the observation at {stamp_s:.6f} s and now, {now_s:.6f} s ({len(states.stamp_s)} states kept). "
            "Check that joint_states, wrench and tactile arrive, and that all stamps are of one clock."
        )
    rows = int((now_s - stamp_s + STAMP_EPSILON_S) / dt_s) + 1
    grid = now_s - dt_s * np.arange(rows - 1, -1, -1)
    index = np.searchsorted(states.stamp_s, grid + STAMP_EPSILON_S, side="right") - 1
    np.maximum(index, first, out=index)
    R_anchor = T_base_anchor[:3, :3]
    out = np.empty((rows, WINDOW_SIZE))
    out[:, 0] = states.stamp_s[index] - stamp_s
    out[:, 1:7] = states.wrench_tcp[index]
    out[:, 7:11] = states.fingertip_force_N[index]
    out[:, 11] = (states.position_m[index] - T_base_anchor[:3, 3]) @ R_anchor[:, 2]
    out[:, 12:14] = rotation_vectors(R_anchor.T @ states.rotation[index])[:, :2]
    return out
