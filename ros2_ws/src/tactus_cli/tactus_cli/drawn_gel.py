"""A gel with dots, drawn where they are known to be: what tracks them is measured, and tested, against it."""

import numpy as np
from numpy.typing import NDArray

from tactus_core.types import Array

_NOISE_LEVELS = 2.0
_EDGE_PX = 0.5


def drawn_gel(shape: tuple[int, int], dots_px: Array, seed: int, radius_px: float = 4.5, light: float = 1.0) -> NDArray[np.uint8]:
    """Return an image (H, W, 3) of a gel lit from one side, with noise. dots_px: (n, 2) x y; those at NaN are not drawn."""
    height, width = shape
    y, x = np.mgrid[:height, :width]
    bare = 150.0 - 0.3 * x + 0.1 * y
    image, reach = bare.copy(), round(2 * radius_px)
    for px, py in dots_px[np.isfinite(dots_px).all(axis=1)]:
        near = np.s_[max(0, int(py) - reach) : max(0, int(py) + reach + 1), max(0, int(px) - reach) : max(0, int(px) + reach + 1)]
        far_px = np.hypot(x[near] - px, y[near] - py)
        image[near] = np.minimum(image[near], bare[near] * (1.0 - 0.6 / (1.0 + np.exp((far_px - radius_px) / _EDGE_PX))))
    noise = np.random.default_rng(seed).normal(0.0, _NOISE_LEVELS, (height, width, 3))
    return np.clip(light * image[..., None] * (1.0, 0.9, 0.8) + noise, 0, 255).astype(np.uint8)


def dots_in_rows(shape: tuple[int, int], rows: int, columns: int) -> Array:
    """Return the places (rows · columns, 2), x y, of dots that are spread over an image, from its upper left on."""
    y, x = (size / count * (np.arange(count) + 0.5) for size, count in zip(shape, (rows, columns), strict=True))
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def pressed(rest_px: Array, phase_rad: float) -> Array:
    """Return displacements (n, 2) [px] of dots at `rest_px`: dragged, twisted and pressed apart by up to 10 px, smoothly."""
    centred = rest_px - rest_px.mean(axis=0)
    out = centred * np.exp(-((np.hypot(*centred.T) / 60.0) ** 2))[:, None] * (0.1 * (1.0 - np.cos(phase_rad)))
    out += 4.0 * np.array([np.sin(phase_rad), np.sin(2.0 * phase_rad)])
    return out + centred[:, ::-1] * (-1.0, 1.0) * (0.03 * np.sin(phase_rad))
