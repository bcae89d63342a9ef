"""Noise: how much of a sample is signal at each level, and which levels are visited on the way to the clean one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.policy.specs import DiffusionSpec

Sample = NDArray[np.float32]
# (sample, timestep) → what the graph `denoiser` predicts; timestep: np.int64 or np.float32, as that graph takes it
Denoiser = Callable[[Sample, Any], Sample]

# As Ho et al. 2020 chose them, for 1000 levels.
_LINEAR_BETAS = (1e-4, 0.02)


@dataclass(frozen=True)
class Step:
    """A step of denoising that was made: the `index`-th, from `timestep`; a sample is now `signal` · clean + `noise` · N(0, 1)."""

    index: int
    timestep: float
    signal: float
    noise: float


# (step, sample) → sample, after each step: where caching, composition or guidance come in.
StepHook = Callable[[Step, Sample], Sample]


def alphas(schedule: str, train_steps: int) -> NDArray[np.float64]:
    """Return ᾱ (train_steps,), the share of signal left at each noise level."""
    if schedule == "linear":
        return np.cumprod(1.0 - np.linspace(*_LINEAR_BETAS, train_steps), dtype=np.float64)
    t = np.arange(train_steps + 1) / train_steps
    # The cosine of Nichol & Dhariwal 2021; betas are capped at 0.999.
    bar = np.cos((t + 0.008) / 1.008 * np.pi / 2) ** 2
    return np.cumprod(1.0 - np.minimum(1.0 - bar[1:] / bar[:-1], 0.999), dtype=np.float64)


def leading_timesteps(train_steps: int, inference_steps: int) -> NDArray[np.int64]:
    """Return the noise levels to visit, falling, the last one 0.

    Leading spacing, on purpose: it starts below the last level. There √ᾱ is 5e-4 (100 levels), so that an epsilon error grows 2000-fold
    in the estimate of the clean sample; at the first level visited with 8 steps, 84, the factor is 4.
    """
    return np.arange(inference_steps - 1, -1, -1) * (train_steps // inference_steps)


@dataclass(frozen=True)
class Levels:
    """The noise levels that are visited, n timesteps, and the shares (n + 1,) of signal and noise: behind the last a clean sample."""

    timesteps: NDArray[np.int64]
    signal: NDArray[np.float64]
    noise: NDArray[np.float64]

    @staticmethod
    def of(spec: DiffusionSpec) -> "Levels":
        """Return the levels of a card's generator."""
        timesteps = leading_timesteps(spec.train_steps, spec.inference_steps)
        bar = alphas(spec.schedule, spec.train_steps)[timesteps]
        return Levels(timesteps, np.append(np.sqrt(bar), 1.0), np.append(np.sqrt(1.0 - bar), 0.0))
