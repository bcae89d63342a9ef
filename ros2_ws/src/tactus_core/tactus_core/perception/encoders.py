"""Encoders that are a graph: of an rgb image, of a camera or of a gel, and of a cloud."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tactus_core.config import param
from tactus_core.errors import DataError
from tactus_core.perception.cloud import CloudConfig, CloudMaker, Intrinsics, Points
from tactus_core.perception.encoder_card import CARD, EncoderCard
from tactus_core.perception.network import Network
from tactus_core.policy.specs import TensorSpec
from tactus_core.types import Array


@dataclass(frozen=True)
class ImageConfig:
    """Size of the images; how the graph resizes and normalises them is inside it."""

    height: int = param(doc="Pixels.", low=8, high=4096)
    width: int = param(doc="Pixels.", low=8, high=4096)


def image_spec(config: ImageConfig) -> TensorSpec:
    """Return what the graph of an image encoder takes."""
    return TensorSpec("image", (1, config.height, config.width, 3), "uint8", "rgb, 0..255")


def cloud_spec(config: CloudConfig) -> TensorSpec:
    """Return what the graph of a cloud encoder takes."""
    return TensorSpec("points", (1, config.points, 3), "float32", "m, base; their order must not matter")


class ImageEncoder:
    """See `tactus_core.ports.Encoder`."""

    def __init__(self, folder: Path, card: EncoderCard, threads: int = 1) -> None:
        config = card.part(ImageConfig, str(folder / CARD))
        self._shape = (config.height, config.width, 3)
        self._network = Network(folder, card, image_spec(config), threads)

    def encode(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return features (F,) of an rgb uint8 image (H, W, 3); raises DataError for another shape or dtype."""
        if image.shape != self._shape or image.dtype != np.uint8:
            raise DataError(
                f"image has shape {image.shape}, {image.dtype}; expected {self._shape}, uint8, rgb. Set the camera to that size, or export "
                "the encoder for this one."
            )
        return self._network(image)


class CloudEncoder:
    """Depth images of one camera → clouds, and the features of these. T_base_camera: see `CloudMaker`."""

    def __init__(self, folder: Path, card: EncoderCard, T_base_camera: Array, threads: int = 1) -> None:
        config = card.part(CloudConfig, str(folder / CARD))
        self._maker = CloudMaker(config, T_base_camera)
        self._network = Network(folder, card, cloud_spec(config), threads)

    def encode(self, depth_m: NDArray[np.float32], camera: Intrinsics) -> tuple[Points, NDArray[np.float32]]:
        """Return points (points, 3) in the base and features (F,) of a depth image (H, W); raises DataError, see `CloudMaker.step`."""
        points = self._maker.step(depth_m, camera)
        return points, self._network(points)
