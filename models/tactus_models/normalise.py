"""Fitting normalisers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.policy.bundle import Normaliser

# Floors for channels that hardly vary (a diagonal element of a rotation): noise must not be blown up. m, rad or share.
MIN_HALF_RANGE = 0.02
MIN_STD = 0.005


def min_max(values: NDArray[Any]) -> Normaliser:
    """Map the range of each last-axis channel to [−1, 1]."""
    flat = values.reshape(-1, values.shape[-1])
    low, high = flat.min(axis=0), flat.max(axis=0)
    return _normaliser((low + high) / 2, np.maximum((high - low) / 2, MIN_HALF_RANGE))


def standard(values: NDArray[Any]) -> Normaliser:
    """Map each last-axis channel to zero mean and unit standard deviation; without any values nothing is changed."""
    flat = values.reshape(-1, values.shape[-1]).astype(np.float64)
    if not len(flat):
        return _normaliser(np.zeros(flat.shape[1]), np.ones(flat.shape[1]))
    return _normaliser(flat.mean(axis=0), np.maximum(flat.std(axis=0), MIN_STD))


def quantile(values: NDArray[Any], outside: float = 0.001) -> Normaliser:
    """Map the middle of each last-axis channel to [−1, 1], so that `outside` of the values are clipped there: for unbounded latents."""
    low, high = np.quantile(values.reshape(-1, values.shape[-1]), [outside / 2, 1 - outside / 2], axis=0)
    return _normaliser((low + high) / 2, np.maximum((high - low) / 2, MIN_HALF_RANGE))


def _normaliser(offset: NDArray[Any], scale: NDArray[Any]) -> Normaliser:
    return Normaliser(offset.astype(np.float32), scale.astype(np.float32))
