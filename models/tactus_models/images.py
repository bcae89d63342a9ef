"""Images, altered as training alters them."""

import numpy as np
from numpy.typing import NDArray


def shifted(images: NDArray[np.uint8], most_px: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return images (B, H, W, 3), each shifted at random by up to `most_px` along both axes, edges repeated."""
    height, width = images.shape[1:3]
    padded = np.pad(images, ((0, 0), (most_px, most_px), (most_px, most_px), (0, 0)), mode="edge")
    corners = rng.integers(0, 2 * most_px + 1, (len(images), 2))
    return np.stack([source[y : y + height, x : x + width] for source, (y, x) in zip(padded, corners, strict=True)])
