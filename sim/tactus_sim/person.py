"""A scripted operator: watches a simulated robot, loses patience, and helps by a puck as a person would: late, roughly, and not for ever.

It knows what would be right from an `Expert`, makes up its mind a reaction time later, and steers by speed towards it, by eyes that are
less late: people expect what their own hand does. What it does is axes of a device, so that everything behind the device is the real thing.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from tactus_core.config import param
from tactus_core.geometry import rotation_vector
from tactus_core.ports import Advice
from tactus_core.teleop.config import TwistConfig
from tactus_core.types import Array

_WIGGLE_Hz, _STUCK_S, _TOUCH_N = 1.5, 0.8, 3.0
_GRASP, _GRASP_S = 0.4, 0.15  # a push that is meant, and for how long: a gentle one does not take control


@dataclass(frozen=True)
class PersonConfig:
    """Patience and skill. What is drawn, is drawn for each episode."""

    watched: float = param(1.0, low=0.0, high=1.0, doc="Share of episodes that it watches, drawn for each; in the others it does nothing.")
    reaction_s: float = param(0.25, low=0.0, high=2.0, doc="From what is to be seen to taking over, or to letting go.")
    sight_s: float = param(0.1, low=0.0, high=1.0, doc="From what is to be seen to how the hand steers.")
    patience_s: float = param(1.5, low=0.1, high=60.0, doc="Without progress, after which it takes over; drawn ±30 %.")
    progress: float = param(0.02, low=0.0, high=1.0, doc="Share of the task that counts as progress.")
    well_s: float = param(0.15, low=0.0, high=10.0, doc="How long all has to be well, and better than it was, before it lets go.")
    wiggle_m_s: float = param(0.02, low=0.0, high=0.5, doc="Speed of wiggling sideways at what does not yield.")
    longest_s: float = param(5.0, low=0.1, high=60.0, doc="How long it helps before it lets go to see.")
    gain_1_s: float = param(1.5, low=0.1, high=20.0, doc="Speed for a distance; drawn ±30 %.")
    speed_m_s: float = param(0.05, low=0.001, high=0.5, doc="Fastest that it steers.")
    speed_rad_s: float = param(0.25, low=0.01, high=2.0, doc="The same, turning.")
    lag_s: float = param(0.1, low=0.0, high=1.0, doc="Time constant of the hand.")
    tremor: float = param(0.15, low=0.0, high=2.0, doc="Std of the hand's error, a share of its speed on all axes together.")
    tremor_s: float = param(0.3, low=0.01, high=5.0, doc="How long such an error lasts.")


@dataclass(frozen=True)
class Seen:
    """What there is to see at one time. force_N: of the contact, its size."""

    at_s: float
    T_base_tcp: Array
    advice: Advice
    force_N: float


class Person:
    """One episode after the other; times are of the simulated world."""

    def __init__(self, config: PersonConfig, motion: TwistConfig, seed: int = 0) -> None:
        """Know by experience what a deflection is worth (`motion`)."""
        self._config, self._motion, self._seed = config, motion, seed

    def begin(self, seed: int) -> None:
        """Look at a new episode."""
        self._rng = np.random.default_rng([seed, self._seed, 5])
        self._patience_s, self._gain_1_s = np.array([self._config.patience_s, self._config.gain_1_s]) * self._rng.uniform(0.7, 1.3, 2)
        self._seen: deque[Seen] = deque()
        self._velocity, self._error = np.zeros(6), np.zeros(6)
        self._best, self._since_s, self._helps_since_s, self._well_since_s = -np.inf, 0.0, np.nan, np.inf
        self._found = 0.0
        self._last_s = np.nan
        self._watches = bool(self._rng.uniform() < self._config.watched)

    @property
    def helps(self) -> bool:
        """Whether the hand is on the puck."""
        return not np.isnan(self._helps_since_s)

    def axes(self, seen: Seen) -> Array:
        """Return what the puck says now (6,) of −1..1; `seen` is acted on later."""
        now_s, dt_s = seen.at_s, 0.0 if np.isnan(self._last_s) else seen.at_s - self._last_s
        self._last_s = now_s
        self._seen.append(seen)
        longest_s = max(self._config.reaction_s, self._config.sight_s)
        while len(self._seen) > 1 and self._seen[1].at_s <= now_s - longest_s:
            self._seen.popleft()
        self._make_up_mind(self._as_of(now_s - self._config.reaction_s), now_s)
        return self._steer(self._as_of(now_s - self._config.sight_s), now_s, dt_s) if self.helps else np.zeros(6)

    def _as_of(self, at_s: float) -> Seen:
        """Return what was to be seen at a time, or first of all."""
        return next((seen for seen in reversed(self._seen) if seen.at_s <= at_s), self._seen[0])

    def _make_up_mind(self, seen: Seen, now_s: float) -> None:
        done, config = seen.advice.done, self._config
        if done >= self._best + config.progress:
            self._best, self._since_s = done, now_s
        if not self.helps:
            if not self._watches:
                return
            if now_s - self._since_s >= self._patience_s or seen.advice.alarm:
                self._helps_since_s, self._well_since_s, self._velocity = now_s, np.inf, np.zeros(6)
                self._best = self._found = done
            return
        well = seen.advice.well and done >= self._found + config.progress
        self._well_since_s = min(self._well_since_s, now_s) if well else np.inf
        if now_s - self._well_since_s >= config.well_s or now_s - self._helps_since_s >= config.longest_s:
            self._helps_since_s, self._best, self._since_s = np.nan, done, now_s

    def _steer(self, seen: Seen, now_s: float, dt_s: float) -> Array:
        config, rng = self._config, self._rng
        T, wanted = seen.T_base_tcp, seen.advice.T_base_tcp
        way = np.concatenate([wanted[:3, 3] - T[:3, 3], rotation_vector(wanted[:3, :3] @ T[:3, :3].T)])
        speed = self._gain_1_s * way
        for part, limit in ((slice(0, 3), config.speed_m_s), (slice(3, 6), config.speed_rad_s)):
            speed[part] *= min(1.0, limit / max(float(np.linalg.norm(speed[part])), 1e-12))
        decay = np.exp(-dt_s / config.tremor_s)
        self._error = decay * self._error + np.sqrt(1.0 - decay**2) * rng.standard_normal(6)
        if now_s - max(self._since_s, self._helps_since_s) > _STUCK_S and seen.force_N > _TOUCH_N:
            turn = 2.0 * np.pi * _WIGGLE_Hz * now_s
            speed[:2] += config.wiggle_m_s * np.array([np.cos(turn), np.sin(turn)])
        sizes = np.repeat([np.linalg.norm(speed[:3]), np.linalg.norm(speed[3:])], 3)
        follow = 1.0 - np.exp(-dt_s / config.lag_s) if config.lag_s else 1.0
        self._velocity += follow * (speed + config.tremor * sizes * self._error - self._velocity)
        axes = self._deflected(self._velocity)
        largest = float(np.abs(axes).max())
        if now_s - self._helps_since_s <= _GRASP_S:
            axes = axes * max(1.0, _GRASP / largest) if largest > 0.0 else np.array([0.0, 0.0, _GRASP, 0.0, 0.0, 0.0])
        return axes

    def _deflected(self, velocity: Array) -> Array:
        """Return the deflections (6,) that are worth this velocity (6,), m/s and rad/s: what practice with the device has taught."""
        m = self._motion
        worth = np.minimum(np.abs(velocity) / np.repeat([m.speed_m_s, m.speed_rad_s], 3), 1.0)
        beyond = worth ** (1.0 / m.curve)
        return np.asarray(np.sign(velocity) * np.where(worth > 0.0, m.dead_band + (1.0 - m.dead_band) * beyond, 0.0))
