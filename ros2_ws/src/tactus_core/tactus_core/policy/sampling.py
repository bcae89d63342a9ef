"""From noise to a sample: the loop around the denoiser is ours, and so is the choice of how it steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from tactus_core.errors import ConfigError
from tactus_core.policy.schedule import Denoiser, Levels, Sample, Step, StepHook
from tactus_core.policy.specs import DiffusionSpec, FlowSpec


class Sampler(Protocol):
    """Draws samples with a denoiser."""

    def sample(self, denoise: Denoiser, start: Sample, rng: np.random.Generator, hook: StepHook | None = None) -> Sample:
        """Return what `denoise` makes of `start`, drawn from N(0, 1); `rng`: chance on the way, of samplers that have any."""
        ...


def chosen(spec: DiffusionSpec | FlowSpec, name: str | None = None, steps: int | None = None) -> DiffusionSpec | FlowSpec:
    """Return a card's generator with another sampler or another number of steps, where given. Raises ConfigError."""
    known = tuple(_STEPS) if isinstance(spec, DiffusionSpec) else ("euler",)
    if name is not None and name not in known:
        raise ConfigError(f"sampler '{name}' does not fit this policy; choose from {', '.join(known)}.")
    most = spec.train_steps if isinstance(spec, DiffusionSpec) else 1000
    if steps is not None and not 1 <= steps <= most:
        raise ConfigError(f"{steps} denoising steps asked for; this policy takes 1 to {most}.")
    changed = replace(spec, inference_steps=steps or spec.inference_steps)
    return replace(changed, sampler=name or changed.sampler) if isinstance(changed, DiffusionSpec) else changed


def make_sampler(spec: DiffusionSpec | FlowSpec) -> Sampler:
    """Return the sampler of a generator."""
    return DiffusionSampler(spec) if isinstance(spec, DiffusionSpec) else FlowSampler(spec)


@dataclass(frozen=True)
class _State:
    """What a step starts from. clean: estimate of the clean sample; noise: what it leaves of `sample`; before: the last step's estimate."""

    sample: Sample
    clean: Sample
    noise: Sample
    before: Sample | None


class DiffusionSampler:
    """The samplers of a diffusion policy, by the name in its card."""

    def __init__(self, spec: DiffusionSpec) -> None:
        self._levels = Levels.of(spec)
        self._step = _STEPS[spec.sampler]
        self._predicts_noise, self._clip_noise = spec.prediction == "epsilon", spec.clip_noise
        self._clip = np.float32(np.inf if spec.clip_sample is None else spec.clip_sample)
        self._signal, self._noise = self._levels.signal.astype(np.float32), self._levels.noise.astype(np.float32)

    def sample(self, denoise: Denoiser, start: Sample, rng: np.random.Generator, hook: StepHook | None = None) -> Sample:
        """See `Sampler`."""
        sample, before = start, None
        for index, timestep in enumerate(self._levels.timesteps):
            predicted = denoise(sample, timestep)
            state = self._estimate(index, sample, predicted, before)
            sample, before = self._step(self._levels, index, state, rng), state.clean
            if hook is not None:
                signal, noise = float(self._levels.signal[index + 1]), float(self._levels.noise[index + 1])
                sample = hook(Step(index, int(timestep), signal, noise), sample)
        return sample

    def _estimate(self, index: int, sample: Sample, predicted: Sample, before: Sample | None) -> _State:
        signal, noise = self._signal[index], self._noise[index]
        clean = (sample - noise * predicted) / signal if self._predicts_noise else predicted
        clipped = np.clip(clean, -self._clip, self._clip)
        if self._clip_noise:
            # The noise that belongs to the clipped estimate, or the two would disagree and the sample leave the schedule.
            return _State(sample, clipped, (sample - signal * clipped) / noise, before)
        return _State(sample, clipped, predicted if self._predicts_noise else (sample - signal * clean) / noise, before)


def _ddim(levels: Levels, index: int, state: _State, rng: np.random.Generator) -> Sample:
    """Song et al. 2021, eta 0."""
    return np.float32(levels.signal[index + 1]) * state.clean + np.float32(levels.noise[index + 1]) * state.noise


def _ddpm(levels: Levels, index: int, state: _State, rng: np.random.Generator) -> Sample:
    """Ho et al. 2020, equation 7, with the smaller of the two variances; levels may be skipped."""
    bar, bar_next = levels.signal[index : index + 2] ** 2
    kept = bar / bar_next
    of_clean = np.sqrt(bar_next) * (1.0 - kept) / (1.0 - bar)
    of_sample = np.sqrt(kept) * (1.0 - bar_next) / (1.0 - bar)
    spread = np.sqrt((1.0 - bar_next) / (1.0 - bar) * (1.0 - kept))
    made = np.float32(of_clean) * state.clean + np.float32(of_sample) * state.sample
    if index + 1 == len(levels.timesteps):
        return made
    return made + np.float32(spread) * rng.standard_normal(made.shape, dtype=np.float32)


def _dpm_solver(levels: Levels, index: int, state: _State, rng: np.random.Generator) -> Sample:
    """DPM-Solver++(2M) of Lu et al. 2022, midpoint; of first order at both ends."""
    if index + 1 == len(levels.timesteps):
        return state.clean
    rise = np.log(levels.signal / np.maximum(levels.noise, 1e-20))[max(index - 1, 0) : index + 2]
    h = rise[-1] - rise[-2]
    clean = state.clean
    if state.before is not None:
        clean = clean + np.float32(0.5 * h / (rise[1] - rise[0])) * (clean - state.before)
    kept = levels.noise[index + 1] / levels.noise[index]
    return np.float32(kept) * state.sample - np.float32(levels.signal[index + 1] * np.expm1(-h)) * clean


_STEPS: Mapping[str, Callable[[Levels, int, _State, np.random.Generator], Sample]] = {
    "ddim": _ddim,
    "ddpm": _ddpm,
    "dpmsolver++": _dpm_solver,
}


class FlowSampler:
    """Euler's method along a velocity from noise (share 1) to the clean sample (share 0)."""

    def __init__(self, spec: FlowSpec) -> None:
        self._share = np.linspace(1.0, 0.0, spec.inference_steps + 1)

    def sample(self, denoise: Denoiser, start: Sample, rng: np.random.Generator, hook: StepHook | None = None) -> Sample:
        """See `Sampler`."""
        sample = start
        for index, (share, after) in enumerate(zip(self._share[:-1], self._share[1:], strict=True)):
            sample = sample + np.float32(after - share) * denoise(sample, np.float32(share))
            if hook is not None:
                sample = hook(Step(index, float(share), 1.0 - after, after), sample)
        return sample
