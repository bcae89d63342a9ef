"""The slow policy: what was seen and felt → a chunk."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import ConfigError, DataError
from tactus_core.history import StateArrays
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import Card
from tactus_core.policy.observation import anchor, low_dim
from tactus_core.policy.sampling import make_sampler
from tactus_core.policy.schedule import StepHook
from tactus_core.policy.specs import DirectSpec
from tactus_core.types import ActionChunk, Array


class DiffusionPolicy:
    """The `SlowPolicy` of a bundle, latent or action, whatever it generates with. hook: see `StepHook`.

    sampler, steps: instead of the card's, for diffusion and flow.
    """

    def __init__(
        self, bundle: Bundle, seed: int = 0, hook: StepHook | None = None, sampler: str | None = None, steps: int | None = None
    ) -> None:
        """Prepare; raises ConfigError where sampler or steps do not fit the bundle."""
        self._bundle = bundle
        generator = bundle.card.generator
        if isinstance(generator, DirectSpec):
            if not (hook is None and sampler is None and steps is None):
                raise ConfigError(f"bundle '{bundle.card.id}' plans in one pass: it has no sampler and no steps. Leave them out.")
            self._sampler = None
        else:
            self._sampler = make_sampler(generator, sampler, steps)
        self._hook = hook
        self._sequence = 0
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """Start an episode: the noise that chunks are made from follows from `seed`. Chunk numbers keep rising."""
        self._rng = np.random.default_rng(seed)

    def infer(self, features: NDArray[np.float32], states: StateArrays, stamp_s: float) -> ActionChunk:
        """Return the chunk that answers the observation at `stamp_s`.

        features: (F,) of the images with that stamp. Raises StaleError where `states` lacks the observation's history, DataError where
        features or states are not as the card says or the networks give numbers that are not finite.
        """
        card = self._bundle.card
        data = self.plan(features, low_dim(states, stamp_s, card.observation.low_dim))
        self._sequence += 1
        return planned(card, data, anchor(states, stamp_s), stamp_s, self._sequence)

    def plan(self, features: NDArray[np.float32], observed: Array) -> NDArray[np.float32]:
        """Return what a chunk holds, (rows, C) in physical units, for features (F,) and `low_dim`'s observation (L,); see `infer`."""
        card, normalisers = self._bundle.card, self._bundle.normalisers
        if features.shape != (card.feature_size,):
            raise DataError(f"features have shape {features.shape}, bundle '{card.id}' expects ({card.feature_size},). Use its encoder.")
        if not np.isfinite(features).all():
            raise DataError("features hold NaN or infinity. Nothing is planned from them; check the encoder.")
        if observed.shape != (card.low_dim_size,):
            raise DataError(
                f"{observed.shape} numbers observed of the robot, bundle '{card.id}' expects ({card.low_dim_size},). Do its drivers report "
                f"the {card.joints.arm} joints of the arm and the {card.joints.hand} of the hand?"
            )
        condition = np.concatenate((features, normalisers["low_dim"].normalise(observed)), dtype=np.float32)[None]
        sample = self._generated(condition)[0]
        if not np.isfinite(sample).all():
            raise DataError(f"bundle '{card.id}' planned numbers that are not finite. Check what was observed.")
        return normalisers[card.kind].unnormalise(sample)[card.chunk.past_steps :]

    def _generated(self, condition: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._sampler is None:
            return self._bundle.run("planner", condition=condition)

        def denoise(sample: NDArray[np.float32], timestep: Any) -> NDArray[np.float32]:
            return self._bundle.run("denoiser", sample=sample, timestep=np.array([timestep]), condition=condition)

        start = self._rng.standard_normal((1, *self._bundle.card.sample_shape), dtype=np.float32)
        return self._sampler.sample(denoise, start, self._rng, self._hook)


def planned(card: Card, data: NDArray[np.float32], T_base_anchor: Array, stamp_s: float, sequence: int) -> ActionChunk:
    """Return the chunk of `data` that answers the observation at `stamp_s`, anchored at the tcp's pose then (4,4)."""
    return ActionChunk(
        stamp_s=stamp_s,
        kind=card.kind,
        dt_s=card.row_dt_s,
        data=data,
        T_base_anchor=T_base_anchor,
        sequence=sequence,
        bundle=card.id,
    )
