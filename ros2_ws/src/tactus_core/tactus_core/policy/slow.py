"""The slow policy: what was seen and felt → a chunk."""

from collections.abc import Callable
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.engines.port import DifferentiableEngine
from tactus_core.errors import ConfigError, DataError
from tactus_core.history import StateArrays
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.caching import Denoisers, cached_denoisers
from tactus_core.policy.card import Card
from tactus_core.policy.encoded import NOTHING, numbers
from tactus_core.policy.guidance import guided
from tactus_core.policy.joining import Joining, Known, inpainting
from tactus_core.policy.observation import anchor
from tactus_core.policy.sampling import Sampler, chosen, make_sampler
from tactus_core.policy.schedule import Denoiser, Sample, StepHook
from tactus_core.policy.specs import DiffusionSpec, DirectSpec, FlowSpec, RemoteSpec
from tactus_core.types import ActionChunk, Array


class DiffusionPolicy:
    """The `SlowPolicy` of a bundle, latent or action, whatever it generates with.

    hook: see `StepHook`. sampler, steps: in the place of the card's, for diffusion and flow. join: see `policy/joining.py`.
    cache: file of a transformer's blocks and when each is computed, see `policy/caching.py`.
    """

    def __init__(
        self,
        bundle: Bundle,
        seed: int = 0,
        hook: StepHook | None = None,
        sampler: str | None = None,
        steps: int | None = None,
        join: str = "replace",
        cache: Path | None = None,
    ) -> None:
        """Prepare; raises ConfigError where a choice does not fit the bundle."""
        self._bundle, self._hook = bundle, hook
        self._sampler, self._denoisers = _generation(bundle, sampler, steps, cache)
        self._joining = Joining(bundle.card, join)
        self._guided = _guided(bundle, cache) if join == "guided" else None
        self._sequence = 0
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """Start an episode: the noise that chunks are made from follows from `seed`. Chunk numbers keep rising."""
        self._rng = np.random.default_rng(seed)
        self._joining.forget()

    def infer(self, features: NDArray[np.float32], states: StateArrays, stamp_s: float, encoded: Array = NOTHING) -> ActionChunk:
        """Return the chunk that answers the observation at `stamp_s`.

        features: (F,) of the images with that stamp; encoded: see `SlowPolicy`. Raises StaleError where `states` lacks the observation's
        history, DataError where any of it is not as the card says or the networks give numbers that are not finite.
        """
        card, T_base_anchor = self._bundle.card, anchor(states, stamp_s)
        observed = numbers(card, states, stamp_s, encoded)
        plans = self._joining.plans(stamp_s, T_base_anchor)
        data = self.plan(features, observed, self._joining.known(plans))
        self._sequence += 1
        return self._joining.joined(planned(card, data, T_base_anchor, stamp_s, self._sequence), plans)

    def plan(self, features: NDArray[np.float32], observed: Array, known: Known | None = None) -> NDArray[np.float32]:
        """Return what a chunk holds, (rows, C) in physical units, for features (F,) and `numbers`' observation (L+E,); see `infer`."""
        card, normalisers = self._bundle.card, self._bundle.normalisers
        if features.shape != (card.feature_size,):
            raise DataError(f"features have shape {features.shape}, bundle '{card.id}' expects ({card.feature_size},). Use its encoder.")
        if not np.isfinite(features).all():
            raise DataError("features hold NaN or infinity. Nothing is planned from them; check the encoder.")
        if observed.shape != (card.observed_size,):
            raise DataError(
                f"{observed.shape} numbers observed of the robot, bundle '{card.id}' expects ({card.observed_size},). Do its drivers "
                f"report the {card.joints.arm} joints of the arm and the {card.joints.hand} of the hand?"
            )
        parts = [features, normalisers["low_dim"].normalise(observed[: card.low_dim_size])]
        if card.observation.encoded_size:
            parts.append(normalisers["encoded"].normalise(observed[card.low_dim_size :]))
        condition = np.concatenate(parts, dtype=np.float32)[None]
        sample = self._generated(condition, known)[0]
        if not np.isfinite(sample).all():
            raise DataError(f"bundle '{card.id}' planned numbers that are not finite. Check what was observed.")
        return normalisers[card.kind].unnormalise(sample)[card.chunk.past_steps :]

    def _generated(self, condition: NDArray[np.float32], known: Known | None) -> NDArray[np.float32]:
        if self._sampler is None:
            return self._bundle.run("planner", condition=condition)
        card = self._bundle.card
        start = self._rng.standard_normal((1, *card.sample_shape), dtype=np.float32)
        hooks, denoise = [self._hook] if self._hook else [], self._denoisers(condition)
        if known is not None:
            rows = self._bundle.normalisers[card.kind].normalise(known.rows)
            if self._guided:
                denoise = self._guided(condition, rows, known.mask)
            else:
                hooks.append(inpainting(rows, card.chunk.past_steps, start))
        return self._sampler.sample(denoise, start, self._rng, lambda step, sample: reduce(lambda s, hook: hook(step, s), hooks, sample))


def _generation(bundle: Bundle, name: str | None, steps: int | None, cache: Path | None) -> tuple[Sampler | None, Denoisers]:
    card, whole = bundle.card, partial(_denoiser, bundle)
    if isinstance(card.generator, RemoteSpec):
        raise ConfigError(f"bundle '{card.id}' is planned for by {card.generator.url}, and cannot plan by itself. Run it in the graph.")
    if isinstance(card.generator, DirectSpec):
        if name is not None or steps is not None or cache is not None:
            raise ConfigError(f"bundle '{card.id}' plans in one pass: it has no sampler, no steps and no cache. Leave them out.")
        return None, whole
    spec = chosen(card.generator, name, steps)
    if cache is None:
        return make_sampler(spec), whole
    if not isinstance(spec, DiffusionSpec):
        raise ConfigError(f"{cache}: caches are for diffusion, bundle '{card.id}' was trained by flow matching. Leave it out.")
    return make_sampler(spec), cached_denoisers(bundle, cache, spec)


def _denoiser(bundle: Bundle, condition: NDArray[np.float32]) -> Denoiser:
    def denoise(sample: Sample, timestep: Any) -> Sample:
        return bundle.run("denoiser", sample=sample, timestep=np.array([timestep]), condition=condition)

    return denoise


# condition (1, D), known rows (n, C), how much each has to stay so (n,) → the denoiser for one plan
Guided = Callable[[NDArray[np.float32], Sample, NDArray[np.float32]], Denoiser]


def _guided(bundle: Bundle, cache: Path | None) -> Guided:
    """Return what makes guided denoisers; raises ConfigError where nothing gives the gradient that they need."""
    engine, card = bundle.engines["denoiser"], bundle.card
    if cache is not None or not isinstance(engine, DifferentiableEngine) or not isinstance(card.generator, DiffusionSpec | FlowSpec):
        raise ConfigError(
            f"join 'guided' needs the gradient of the whole denoiser, which {'a cache' if cache else 'this engine'} does not give. Run "
            f"'{card.name}' on --backend torch, without a cache (pip install -r requirements/train.txt, then ./tactus engine {card.name} "
            "--backend torch), or choose --join prefix, which needs none."
        )
    spec = card.generator

    def denoiser(condition: NDArray[np.float32], known: Sample, mask: NDArray[np.float32]) -> Denoiser:
        def pullback(sample: Sample, timestep: Any) -> tuple[Sample, Callable[[Sample], Sample]]:
            return engine.vjp("sample", sample=sample, timestep=np.array([timestep]), condition=condition)

        return guided(pullback, spec, known, mask, card.chunk.past_steps)

    _warm_up(denoiser, bundle)
    return denoiser


def _warm_up(denoiser: Guided, bundle: Bundle) -> None:
    """Take a gradient: torch's first one takes a second or more, for which a node that plans would be missed."""
    card = bundle.card
    nothing, first = np.zeros((0, card.sample_shape[-1]), np.float32), 0 if isinstance(card.generator, DiffusionSpec) else np.float32(1.0)
    denoise = denoiser(np.zeros((1, card.feature_size + card.observed_size), np.float32), nothing, np.zeros(0, np.float32))
    denoise(np.zeros((1, *card.sample_shape), np.float32), first)


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
