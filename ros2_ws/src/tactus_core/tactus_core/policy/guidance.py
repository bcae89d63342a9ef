"""Real-time chunking by guidance (Black et al. 2025, arXiv 2506.07339).

At each step of denoising the clean sample that is foreseen is drawn to what the chunk before plans for the same moments, through the
denoiser's own gradient.

The paper has flow matching: A = τ · clean + (1 − τ) · noise. A diffusion's sample, signal · clean + noise · N(0, 1), is that A after
division by signal + noise, with τ = signal / (signal + noise); so one rule does for both.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.policy.schedule import Denoiser, Sample, alphas
from tactus_core.policy.specs import DiffusionSpec, FlowSpec
from tactus_core.types import Array

# Bound of the guidance weight: the paper's, for its five steps.
BETA = 5.0

# (sample, timestep) → what the denoiser predicts, and the map that takes v (1,T,C) to vᵀ · ∂predicted/∂sample (1,T,C)
Pullback = Callable[[Sample, Any], tuple[Sample, Callable[[Sample], Sample]]]


def soft_mask(decided: int, overlap: int) -> NDArray[np.float32]:
    """Return how much each of `overlap` rows that the chunk before plans, too, has to stay as planned: (overlap,), 1 down to above 0.

    The first `decided` are played before the new chunk is there: 1. After those it falls to the end of the overlap.
    """
    c = (overlap - np.arange(overlap)) / (overlap - min(decided, overlap) + 1)
    mask = c * np.expm1(c) / np.expm1(1.0)
    mask[:decided] = 1.0
    return mask.astype(np.float32)


def guidance_weight(tau: float, beta: float) -> float:
    """Return min(β, (1 − τ) / (τ r²)), r² = (1 − τ)² / (τ² + (1 − τ)²), for a share 0 ≤ τ < 1 of what is clean."""
    return min(beta, (tau**2 + (1.0 - tau) ** 2) / max(tau * (1.0 - tau), 1e-9))


def guided(
    pullback: Pullback,
    spec: DiffusionSpec | FlowSpec,
    known: Sample,
    mask: NDArray[np.float32],
    first_row: int = 0,
    beta: float = BETA,
) -> Denoiser:
    """Return the denoiser whose samples are drawn to `known`, normalised rows (n, C) from `first_row` on, as much as `mask` (n,) says."""
    rows, weights = slice(first_row, first_row + len(known)), mask[:, None]
    foresee = foresight(spec)

    def denoise(sample: Sample, timestep: Any) -> Sample:
        predicted, back = pullback(sample, timestep)
        signal, noise, of_sample, of_predicted = foresee(timestep)
        error = np.zeros_like(sample)
        error[0, rows] = weights * (known - of_sample * sample[0, rows] - of_predicted * predicted[0, rows])
        gradient = of_sample * error + of_predicted * back(error)
        # The clean sample moves by (1 − τ) · weight · ∂clean/∂A ᵀ · error, where A = sample / (signal + noise).
        moved = noise * guidance_weight(signal / (signal + noise), beta) * gradient
        return predicted + np.float32(1.0 / of_predicted) * moved.astype(np.float32)

    return denoise


def foresight(spec: DiffusionSpec | FlowSpec) -> Callable[[Any], Array]:
    """Return what tells of a timestep: shares of signal and noise in a sample, and p, q of: clean = p · sample + q · predicted."""
    if isinstance(spec, FlowSpec):
        return lambda share: np.array([1.0 - share, share, 1.0, -share])
    bar = alphas(spec.schedule, spec.train_steps)
    signal, noise = np.sqrt(bar), np.sqrt(1.0 - bar)
    p, q = (1.0 / signal, -noise / signal) if spec.prediction == "epsilon" else (0.0 * signal, 1.0 + 0.0 * signal)
    table = np.stack((signal, noise, p, q), axis=1)
    return lambda timestep: table[timestep]
