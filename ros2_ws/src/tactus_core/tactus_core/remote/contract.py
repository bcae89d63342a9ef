"""What a client and a server say to each other: the keys of an observation, what a server tells of itself, what its numbers mean.

metadata     server → client, once, on connecting: a mapping of the server's own making
observation  client → server: an image or features, the robot's state, and the instruction as text
answer       server → client: {"actions": (T, C) real, ...}; or a text, which tells of an error
"""

import hashlib
import json
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from tactus_core.geometry import inverse, rigid, rot6d, rotation_matrix, rotation_vector
from tactus_core.policy.card import Card, plain_card
from tactus_core.remote.wire import shown
from tactus_core.types import Array

ACTIONS = "actions"
PROMPT = "prompt"
IMAGE = "observation/image"
FEATURES = "observation/features"
STATE = "observation/state"


def metadata(card: Card) -> dict[str, str | int | float]:
    """Return what a server of a bundle tells of it; equal on both sides, or they do not run one policy."""
    rows, channels = card.chunk_shape
    return {
        "bundle": card.id,
        "robot": card.robot,
        "kind": str(card.kind),
        "rows": rows,
        "channels": channels,
        "dt_s": card.row_dt_s,
        # Of the whole card, which has the hash of every file.
        "sha256": hashlib.sha256(json.dumps(plain_card(card), sort_keys=True, default=str).encode()).hexdigest(),
    }


def differences(told: Mapping[str, object], expected: Mapping[str, str | int | float]) -> list[str]:
    """Return where a server's metadata is not as expected, in words; what it tells beyond that is its own affair."""
    # Types are compared first: a foreign array would compare element by element.
    return [
        f"{key} is {shown(told.get(key))}, expected {value!r}"
        for key, value in expected.items()
        if type(told.get(key)) is not type(value) or told[key] != value
    ]


# What is sent of the robot, out of what is observed in numbers (L+E,) and the tcp's pose (4,4), float32.
#   low_dim  (L+E,) as the card lays it out: what Tactus' own bundles want
#   pose     (6,)  x y z [m], rotation vector [rad]: the tcp in `base`
STATES: Mapping[str, Callable[[Array, Array], NDArray[np.float32]]] = {
    "low_dim": lambda observed, T: observed.astype(np.float32),
    "pose": lambda observed, T: np.concatenate((T[:3, 3], rotation_vector(T[:3, :3]))).astype(np.float32),
}


def _as_sent(rows: NDArray[np.float32], T_base_anchor: Array) -> NDArray[np.float32]:
    return rows


# What a chunk's rows are made of where a server's are poses.
POSE_ACTION = ("tcp_pose_relative", "press")


def _from_poses(rows: NDArray[np.float32], T_base_anchor: Array) -> NDArray[np.float32]:
    T_anchor_base = inverse(T_base_anchor)
    out = np.empty((len(rows), 10), np.float32)
    for row, values in zip(out, rows.astype(np.float64), strict=True):
        T = T_anchor_base @ rigid(values[:3], rotation_matrix(values[3:6]))
        row[:3], row[3:9], row[9] = T[:3, 3], rot6d(T[:3, :3]), values[6]
    return out


# What a server's rows mean: how many channels they have (None: the card's), and what makes a chunk's rows of them.
#   anchored  the chunk's own rows, relative to the tcp pose in the observation (actions), or a latent
#   pose      (7) x y z [m], rotation vector [rad]: the tcp in `base`, absolute; press 0..1. The card's action is `POSE_ACTION`.
MEANINGS: Mapping[str, tuple[int | None, Callable[[NDArray[np.float32], Array], NDArray[np.float32]]]] = {
    "anchored": (None, _as_sent),
    "pose": (7, _from_poses),
}
