"""The denoising loop: DDIM (Song et al. 2021, eta 0) for an epsilon-predicting denoiser, on the cosine schedule of Nichol & Dhariwal."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tactus_core.policy.card import DiffusionSpec

Denoiser = Callable[[NDArray[np.float32], int], NDArray[np.float32]]
StepHook = Callable[[int, int, NDArray[np.float32]], NDArray[np.float32]]


def squaredcos_alphas(train_steps: int) -> NDArray[np.float64]:
    """Return ᾱ (train_steps,), the share of signal left at each noise level; betas are capped at 0.999."""
    t = np.arange(train_steps + 1) / train_steps
    bar = np.cos((t + 0.008) / 1.008 * np.pi / 2) ** 2
    return np.cumprod(1.0 - np.minimum(1.0 - bar[1:] / bar[:-1], 0.999))


def ddim_timesteps(train_steps: int, inference_steps: int) -> NDArray[np.int64]:
    """Return the noise levels to visit, falling, the last one 0.

    Leading spacing, on purpose: it starts below the last level. There √ᾱ is 5e-4 (100 levels), so that an epsilon error grows 2000-fold
    in the estimate of the clean sample; at the first level visited with 8 steps, 84, the factor is 4.
    """
    return np.arange(inference_steps - 1, -1, -1) * (train_steps // inference_steps)


class Ddim:
    """Sampling as a card's `diffusion` says; deterministic for a given start."""

    def __init__(self, spec: DiffusionSpec) -> None:
        timesteps = ddim_timesteps(spec.train_steps, spec.inference_steps)
        bar = squaredcos_alphas(spec.train_steps)[timesteps]
        # Shares of signal and noise at each level visited, and behind the last one a clean sample.
        self._signal = np.append(np.sqrt(bar), 1.0).astype(np.float32)
        self._noise = np.append(np.sqrt(1.0 - bar), 0.0).astype(np.float32)
        self._timesteps = [int(t) for t in timesteps]
        self._clip = np.float32(np.inf if spec.clip_sample is None else spec.clip_sample)

    def sample(self, denoise: Denoiser, start: NDArray[np.float32], hook: StepHook | None = None) -> NDArray[np.float32]:
        """Return what `denoise(sample, timestep) → noise` makes of `start`, drawn from N(0, 1).

        `hook(index, timestep, sample) → sample` runs after each step: where caching, composition or guidance come in.
        """
        sample = start
        for index, timestep in enumerate(self._timesteps):
            signal, noise = self._signal[index], self._noise[index]
            clean = np.clip((sample - noise * denoise(sample, timestep)) / signal, -self._clip, self._clip)
            # The direction that belongs to the clipped estimate, or the two would disagree and the sample leave the schedule.
            direction = (sample - signal * clean) / noise
            sample = self._signal[index + 1] * clean + self._noise[index + 1] * direction
            if hook is not None:
                sample = hook(index, timestep, sample)
        return sample
