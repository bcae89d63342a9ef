"""What was lived, as transitions: (s, a_base, a_exec, n-step return, discount, s', a_base').

The base's action is part of the observation, so s and s' hold a_base and a_base'.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tactus_core.learning.transitions import Transitions
from tactus_core.policy.graphs import TWIST_SIZE
from tactus_core.types import Array
from tactus_models.config import ResidualConfig
from tactus_models.residual.networks import OBSERVATION_SIZE


@dataclass(frozen=True)
class Batch:
    """Un-normalised transitions. action (B, 6): what was executed, as `twist`. discount (B,): of the value of `following`, 0 at an end."""

    observed: Tensor
    action: Tensor
    gain: Tensor
    discount: Tensor
    following: Tensor


class Replay:
    """Episodes one after the other in arrays of a fixed number of rows; ValueError for one that does not fit any more."""

    def __init__(self, capacity: int, config: ResidualConfig) -> None:
        self._config = config
        self.size = 0
        self._arrays: dict[str, NDArray[Any]] = {
            "observed": np.zeros((capacity, OBSERVATION_SIZE), np.float32),
            "action": np.zeros((capacity, TWIST_SIZE), np.float32),
            "gain": np.zeros(capacity, np.float32),
            "discount": np.zeros(capacity, np.float32),
            "ahead": np.zeros(capacity, np.int64),
            "begins": np.zeros(capacity, np.bool_),
        }

    def add(self, observed: Array, action: Array, reward: Array, ended: bool) -> None:
        """Add an episode, or a stretch of one: observed (n, 82), action (n, 6), reward (n,).

        ended: the last row's value is its reward; else what would have followed is not known: that row only follows.
        """
        count, config = len(observed), self._config
        left = np.arange(count, 0, -1) - (not ended)  # rows that follow, the end counted as one
        ahead = np.minimum(config.n_step, left)
        at_end = ended & (ahead == left)
        gain = np.zeros(count)
        for k in range(min(config.n_step, count)):
            gain[: count - k] += np.where(ahead[: count - k] > k, config.discount ** float(k) * reward[k:], 0.0)
        rows = {
            "observed": observed,
            "action": action,
            "gain": gain,
            "discount": np.where(at_end, 0.0, config.discount**ahead),
            "ahead": np.where(at_end, 0, ahead),
            "begins": left > 0,
        }
        for name, values in rows.items():
            self._arrays[name][self.size : self.size + count] = values
        self.size += count

    def add_practised(self, episode: Transitions, limits: Array) -> None:
        """Add an episode of corrections, `limits` (6,): the action is what the base proposed, and the correction on top."""
        self.add(episode.observed, proposed(episode, limits), at_success(len(episode), bool(episode.success)), episode.ended)

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return transitions drawn evenly."""
        arrays = self._arrays
        index = rng.integers(0, self.size, 2 * count)
        index = index[arrays["begins"][index]][:count]
        taken = {name: torch.from_numpy(arrays[name][index]) for name in ("observed", "action", "gain", "discount")}
        return Batch(**taken, following=torch.from_numpy(arrays["observed"][index + arrays["ahead"][index]]))

    @property
    def observed(self) -> NDArray[np.float32]:
        """All observations so far (n, 82)."""
        return self._arrays["observed"][: self.size]

    def state(self) -> dict[str, Tensor]:
        """Return what `restore` needs."""
        return {name: torch.from_numpy(values[: self.size]) for name, values in self._arrays.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go back to what `state` returned."""
        self.size = len(state["gain"])
        for name, values in state.items():
            self._arrays[name][: self.size] = values.numpy()


def proposed(episode: Transitions, limits: Array) -> Array:
    """Return what the policy proposed at each decision (n, 6): the base's twist, and the correction of at most `limits` (6,) on top."""
    return np.asarray(episode.observed[:, -TWIST_SIZE:] + limits * np.clip(episode.correction, -1.0, 1.0))


def at_success(count: int, success: bool) -> Array:
    """Return the reward of a task (count,): 1 at the end of a success, else 0."""
    reward = np.zeros(count)
    reward[-1:] = float(success)
    return reward
