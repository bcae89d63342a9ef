"""Errors of the hands that demonstrate: what is executed is disturbed, what is recorded is right, so that data shows how to come back.

DART, Laskey et al. 2017.
"""

import numpy as np

from tactus_core.geometry import rotation_matrix
from tactus_core.types import Target


class Disturbance:
    """What a demonstration executes instead of what it should: slow errors along the normal, sideways and in tilt; and slow hands.

    The errors are Ornstein-Uhlenbeck processes. Slow hands err along the normal by a lag alone, drawn for each episode: contact is lost and
    regained as it is by a fast loop that can only react, while the labels show what would have been right. Random errors along the normal
    would teach such a loop to distrust the force: it could not tell its own trembling from the board's motion.
    """

    _TIME_s = np.array([0.4, 0.4, 0.25, 0.5, 0.5])
    _SIZE = np.array([0.004, 0.004, 0.0035, 0.015, 0.015])  # m, m, m, rad, rad

    _LAG_s = (0.02, 0.15)

    def __init__(self, seed: int, tick_s: float, slow_hands: bool, size: float = 1.0) -> None:
        """Start at zero; `size` scales the errors."""
        self._rng = np.random.default_rng([seed, 2])
        self._decay = np.exp(-tick_s / self._TIME_s)
        self._value = np.zeros(5)
        self._scale = size * self._rng.uniform(0.3, 1.3) * np.array([1.0, 1.0, 0.0 if slow_hands else 1.0, 1.0, 1.0])
        self._follow = tick_s / self._rng.uniform(*self._LAG_s) if slow_hands else 1.0
        self._normal_m: float | None = None  # where the slow hands are, along the target's own axis

    def apply(self, target: Target) -> Target:
        """Return a disturbed copy of `target`."""
        noise = self._rng.normal(size=5) * self._SIZE * self._scale * np.sqrt(1 - self._decay**2)
        self._value = self._decay * self._value + noise
        T = target.T_base_tcp.copy()
        # The tool's axis hardly turns during an episode: distances along it can be compared between ticks.
        along = float(T[:3, 2] @ T[:3, 3])
        self._normal_m = along if self._normal_m is None else self._normal_m + self._follow * (along - self._normal_m)
        T[:3, 3] += T[:3, :3] @ self._value[:3] + (self._normal_m - along) * T[:3, 2]
        T[:3, :3] = T[:3, :3] @ rotation_matrix(np.array([*self._value[3:], 0.0]))
        return Target(T, target.hand_rad)
