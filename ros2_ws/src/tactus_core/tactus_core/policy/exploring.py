"""What a residual tries: noise on its decisions, without which nobody learns what else it could have done.

The noise is a pure function of who decides, and when: a fast policy that explores carries no state, and what it tried can be computed anew
from a record. It does not hang on chunks: a new plan does not cut short what is being tried.
"""

import itertools
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from tactus_core.history import STAMP_EPSILON_S
from tactus_core.policy.card import Card
from tactus_core.policy.specs import ExplorationSpec
from tactus_core.types import Array

# So long its size stays, about an episode of a task that takes seconds: it is drawn anew for each such stretch of the decisions' stamps.
STRETCH_S = 10.0


def explores(card: Card) -> bool:
    """Return whether a bundle tries more than it has learnt."""
    return card.residual is not None and card.residual.exploration is not None


def noise_of(card: Card) -> float:
    """Return the largest std of what a bundle tries, a share of its residual's limits; 0 where it tries nothing."""
    return card.residual.exploration.noise if card.residual and card.residual.exploration else 0.0


def explored(spec: ExplorationSpec, dt_s: float, bundle_hash: str, at_s: float) -> Array:
    """Return the noise (6,) on the decision that a bundle takes at `at_s`, shares of the limits, not bounded by them.

    dt_s: time between decisions. bundle_hash: of the bundle's card, in hexadecimal; empty: it has none.
    """
    stretch, row = divmod(int((at_s + STAMP_EPSILON_S) / dt_s), round(STRETCH_S / dt_s))
    return _stretch(spec, dt_s, bundle_hash, stretch)[row]


@lru_cache(maxsize=4)
def _stretch(spec: ExplorationSpec, dt_s: float, bundle_hash: str, stretch: int) -> Array:
    """Return the noise on all decisions of a stretch (n, 6).

    Its size is drawn evenly from none to the largest: what comes of what was learnt, and what of next to anything, both have to be known.
    """
    rng = np.random.default_rng((int(bundle_hash or "0", 16), stretch))
    rows = itertools.islice(wandering(rng, spec.noise * rng.uniform(0.0, 1.0), dt_s, spec.noise_time_s), round(STRETCH_S / dt_s))
    noise = np.array(list(rows))
    noise.flags.writeable = False  # it is handed out again
    return noise


def wandering(rng: np.random.Generator, size: float, dt_s: float, keeps_s: float) -> Iterator[Array]:
    """Yield an Ornstein-Uhlenbeck process (6,), a value every `dt_s`, each of std `size`; it is forgotten by 1/e in `keeps_s`.

    It keeps its direction for a while: a force needs time to move something.
    """
    decay = float(np.exp(-dt_s / keeps_s)) if keeps_s else 0.0
    value = size * rng.standard_normal(6)
    while True:
        yield value
        value = decay * value + np.sqrt(1.0 - decay**2) * (size * rng.standard_normal(6))
