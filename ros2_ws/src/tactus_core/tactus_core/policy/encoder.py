"""An image to features, by the bundle's encoder graph."""

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import DataError
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import IMAGE_SHAPE


class OnnxEncoder:
    """The `Encoder` of a bundle; preprocessing is inside the graph."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def encode(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return features (F,) of an rgb uint8 image (96, 96, 3)."""
        if image.shape != IMAGE_SHAPE or image.dtype != np.uint8:
            raise DataError(f"image has shape {image.shape}, {image.dtype}; expected {IMAGE_SHAPE}, uint8, rgb. Check the camera.")
        return self._bundle.run("encoder", image=image[None])[0]
