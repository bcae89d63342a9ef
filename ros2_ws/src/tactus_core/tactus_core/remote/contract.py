"""What a client and a server say to each other: the keys of an observation, what a server tells of itself, what its numbers mean.

metadata     server → client, once, on connecting: a mapping of the server's own making
observation  client → server: an image or features, the robot's state, and the instruction as text
answer       server → client: {"actions": (T, C) real, ...}; or a text, which tells of an error
"""

import hashlib
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from tactus_core.geometry import from_rot6d, inverse, rigid, rot6d, rotation_matrix, rotation_vector
from tactus_core.policy.card import ACTION_SIZE, Card
from tactus_core.remote.wire import shown
from tactus_core.types import Array

ACTIONS = "actions"
PROMPT = "prompt"
IMAGE = "observation/image"
FEATURES = "observation/features"
STATE = "observation/state"


def metadata(card: Card) -> dict[str, str | int | float]:
    """Return what a server of a bundle tells of it; equal on both sides, or they do not run one policy."""
    rows, channels = card.sample_shape
    files = [card.normaliser.sha256, *(graph.sha256 for _, graph in sorted(card.graphs.items()))]
    return {
        "bundle": card.id,
        "robot": card.robot,
        "kind": str(card.kind),
        "rows": rows,
        "channels": channels,
        "dt_s": card.sample_dt_s,
        "sha256": hashlib.sha256("".join(files).encode()).hexdigest(),
    }


def differences(told: Mapping[str, object], expected: Mapping[str, str | int | float]) -> list[str]:
    """Return where a server's metadata is not as expected, in words; what it tells beyond that is its own affair."""
    # Types are compared first: a foreign array would compare element by element.
    return [
        f"{key} is {shown(told.get(key))}, expected {value!r}"
        for key, value in expected.items()
        if type(told.get(key)) is not type(value) or told[key] != value
    ]


def _pose_vector(observed: Array) -> NDArray[np.float32]:
    return np.concatenate((observed[:3], rotation_vector(from_rot6d(observed[3:9])))).astype(np.float32)


# What is sent of the robot, out of `low_dim`'s observation (76,), float32.
#   low_dim  (76,) all of it, which Tactus' own bundles want
#   pose     (6,)  x y z [m], rotation vector [rad]: the tcp in `base`
STATES: Mapping[str, Callable[[Array], NDArray[np.float32]]] = {
    "low_dim": lambda observed: observed.astype(np.float32),
    "pose": _pose_vector,
}


def _as_sent(rows: NDArray[np.float32], T_base_anchor: Array) -> NDArray[np.float32]:
    return rows


def _from_poses(rows: NDArray[np.float32], T_base_anchor: Array) -> NDArray[np.float32]:
    T_anchor_base = inverse(T_base_anchor)
    out = np.empty((len(rows), ACTION_SIZE), np.float32)
    for row, values in zip(out, rows.astype(np.float64), strict=True):
        T = T_anchor_base @ rigid(values[:3], rotation_matrix(values[3:6]))
        row[:3], row[3:9], row[9] = T[:3, 3], rot6d(T[:3, :3]), values[6]
    return out


# What a server's rows mean: how many channels they have (None: the card's), and what makes a chunk's rows of them.
#   anchored  the chunk's own rows, relative to the tcp pose in the observation (actions), or a latent
#   pose      (7) x y z [m], rotation vector [rad]: the tcp in `base`, absolute; press 0..1
MEANINGS: Mapping[str, tuple[int | None, Callable[[NDArray[np.float32], Array], NDArray[np.float32]]]] = {
    "anchored": (None, _as_sent),
    "pose": (7, _from_poses),
}
