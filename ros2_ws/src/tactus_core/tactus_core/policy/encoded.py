"""What a policy observes of encoders that stand alone (`perception/encoder_card.py`): their features, joined as of its observation's stamp.

In the condition of the denoiser they come last, after the images' features and `low_dim`: encoder after encoder as the card names them,
each time after time, normalised by the bundle's `encoded`.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import DataError, StaleError
from tactus_core.history import STAMP_EPSILON_S, Recollection, StateArrays
from tactus_core.policy.card import Card
from tactus_core.policy.observation import low_dim
from tactus_core.policy.specs import EncoderSpec, encoder_stream
from tactus_core.types import Array

NOTHING: Array = np.empty(0)  # of a policy that observes no such encoder


def numbers(card: Card, states: StateArrays, stamp_s: float, encoded: Array) -> Array:
    """Return all that a policy observes in numbers (L+E,), un-normalised: `low_dim` of `states`, then `encoded` (E,), see `Encoded.at`.

    Raises StaleError as `low_dim` does, DataError where `encoded` is not as the card says.
    """
    if encoded.shape != (card.observation.encoded_size,) or not np.isfinite(encoded).all():
        raise DataError(
            f"{encoded.shape} numbers of encoders that stand alone, or some not finite; bundle '{card.id}' expects "
            f"({card.observation.encoded_size},) of {', '.join(card.observation.encoders) or 'none'}. Start them from the folders that it "
            "was trained with."
        )
    return np.concatenate((low_dim(states, stamp_s, card.observation.low_dim), encoded))


class Encoded:
    """The features that a policy's encoders told of late, and those of them that an observation is made of.

    Stamps are those of what was encoded. For each time that the card names, the newest features up to then count, and none that are older
    by more than their stream's maximum: never any from after it. So the stamps of all sensors have to be of one clock.
    """

    def __init__(self, card: Card) -> None:
        self._id, self._specs = card.id, card.observation.encoders
        self._max_age_s: Mapping[str, float] = {name: card.streams[encoder_stream(name)].max_age_s for name in self._specs}
        self.forget()

    def forget(self) -> None:
        """Start as if nothing had ever been told."""
        self._told: Mapping[str, Recollection[tuple[float, NDArray[np.float32]]]] = {name: Recollection() for name in self._specs}

    def hear(self, name: str, stamp_s: float, features: NDArray[np.float32], sha256: str) -> None:
        """Add the newest features (F,) of an encoder, by the hash of its card.

        Raises DataError where another encoder made them, and for another size, numbers that are not finite, or the same stamp again; what
        was told before goes on ageing then.
        """
        spec = self._specs[name]
        if sha256 != spec.sha256:
            raise DataError(
                f"encoder '{name}': features are of an encoder with the card {sha256[:12] or '(none told)'}, bundle '{self._id}' observes "
                f"{spec.sha256[:12]}. They were not used; start the encoder from the folder that the policy was trained with."
            )
        if features.shape != (spec.features,) or not np.isfinite(features).all():
            raise DataError(
                f"encoder '{name}': features have shape {features.shape}, or are not finite; bundle '{self._id}' expects "
                f"({spec.features},), finite. They were not used; check the encoder."
            )
        self._told[name].append(stamp_s, (stamp_s, features))

    def at(self, stamp_s: float, since_s: float = -math.inf) -> Array:
        """Return what is observed of all encoders (E,), as of `stamp_s`; none of it from before `since_s`, when this episode began.

        Raises StaleError where one of them told nothing that is young enough.
        """
        found = [self._newest(name, spec, stamp_s + at_s, since_s) for name, spec in self._specs.items() for at_s in spec.at_s]
        return np.concatenate([NOTHING, *found])

    def _newest(self, name: str, spec: EncoderSpec, wanted_s: float, since_s: float) -> NDArray[np.float32]:
        found = self._told[name].newest_at([wanted_s])
        age_s = wanted_s - found[0][0] if found else math.inf
        # Written so that NaN fails as well.
        if not (age_s <= self._max_age_s[name] + STAMP_EPSILON_S and found[0][0] >= since_s):
            raise StaleError(
                f"encoder '{name}' told nothing of use up to {wanted_s:.3f} s: the newest features are {age_s:.3f} s older, at most "
                f"{self._max_age_s[name]} s are allowed, and none from before {since_s:.3f} s, when this episode began. Does it run and "
                "keep up, and are all stamps of one clock?"
            )
        return found[0][1]
