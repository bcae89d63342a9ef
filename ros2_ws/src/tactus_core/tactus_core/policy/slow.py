"""The slow policy: what was seen and felt → a chunk, by denoising."""

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import DataError
from tactus_core.geometry import from_rot6d, rigid
from tactus_core.history import StateArrays
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import Card
from tactus_core.policy.observation import low_dim
from tactus_core.policy.schedule import Ddim, StepHook
from tactus_core.types import ActionChunk, Array


class DiffusionPolicy:
    """The `SlowPolicy` of a bundle, latent or action. hook: see `Ddim.sample`."""

    def __init__(self, bundle: Bundle, seed: int = 0, hook: StepHook | None = None) -> None:
        self._bundle = bundle
        self._ddim = Ddim(bundle.card.diffusion)
        self._hook = hook
        self._sequence = 0
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """Start an episode: the noise that chunks are made from follows from `seed`. Chunk numbers keep rising."""
        self._rng = np.random.default_rng(seed)

    def infer(self, features: NDArray[np.float32], states: StateArrays, stamp_s: float) -> ActionChunk:
        """Return the chunk that answers the observation at `stamp_s`.

        features: (F,) of the image with that stamp. Raises StaleError where `states` lacks the observation's history, DataError where
        features are not as the card says or the denoiser gives numbers that are not finite.
        """
        observed = low_dim(states, stamp_s)
        data = self.plan(features, observed)
        self._sequence += 1
        return planned(self._bundle.card, data, observed, stamp_s, self._sequence)

    def plan(self, features: NDArray[np.float32], observed: Array) -> NDArray[np.float32]:
        """Return what a chunk holds, (T, C) in physical units, for features (F,) and `low_dim`'s observation (76,); see `infer`."""
        card, normalisers = self._bundle.card, self._bundle.normalisers
        if features.shape != (card.feature_size,):
            raise DataError(f"features have shape {features.shape}, bundle '{card.id}' expects ({card.feature_size},). Use its encoder.")
        if not np.isfinite(features).all():
            raise DataError("features hold NaN or infinity. Nothing is planned from them; check the encoder.")
        condition = np.concatenate((features, normalisers["low_dim"].normalise(observed)), dtype=np.float32)[None]

        def denoise(sample: NDArray[np.float32], timestep: int) -> NDArray[np.float32]:
            return self._bundle.run("denoiser", sample=sample, timestep=np.array([timestep]), condition=condition)

        start = self._rng.standard_normal((1, *card.sample_shape), dtype=np.float32)
        sample = self._ddim.sample(denoise, start, self._hook)[0]
        if not np.isfinite(sample).all():
            raise DataError(f"bundle '{card.id}' planned numbers that are not finite. Check what was observed.")
        return normalisers[card.kind].unnormalise(sample)


def planned(card: Card, data: NDArray[np.float32], observed: Array, stamp_s: float, sequence: int) -> ActionChunk:
    """Return the chunk of `data` (T, C) that answers what was `observed` (76,) at `stamp_s`, anchored where the tcp was then."""
    return ActionChunk(
        stamp_s=stamp_s,
        kind=card.kind,
        dt_s=card.sample_dt_s,
        data=data,
        T_base_anchor=anchor(observed),
        sequence=sequence,
        bundle=card.id,
    )


def anchor(observed: Array) -> Array:
    """Return T_base_tcp (4,4) as `low_dim`'s observation (76,) says it."""
    return rigid(observed[:3], from_rot6d(observed[3:9]))
