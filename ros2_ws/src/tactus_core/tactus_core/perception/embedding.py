"""Optical touch as few numbers: the displacements of a gel's dots along their principal components (Reactive Diffusion Policy, 2025)."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import BundleError, DataError
from tactus_core.perception.encoder_card import MATRIX, MEAN
from tactus_core.perception.markers import MarkerConfig, Markers, MarkerTracker
from tactus_core.types import Array

_ORTHONORMAL = 1e-3
_FEWEST = 0.8  # share of the dots that has to be found: what is lost is told from the rest by the components


class MarkerEmbedding:
    """embedding = (displacements − mean) @ matrix, displacements (dots, 2) as shares of the image's width and height, dot after dot.

    mean (2·dots,), matrix (2·dots, k) with orthonormal columns, in the order of `Markers`: from the upper left on, in rows. That RDP's own
    matrices are of that order is inferred: along such rows their means, of gels that are pressed, move apart from left to right.
    """

    def __init__(self, mean: Array, matrix: Array) -> None:
        sizes_fit = mean.ndim == 1 and matrix.ndim == 2 and len(mean) == len(matrix) and len(mean) % 2 == 0 < len(mean)
        if not (sizes_fit and matrix.shape[1] <= len(mean)):
            raise BundleError(f"mean {mean.shape} and matrix {matrix.shape}; expected (2·dots,) and (2·dots, k). Are both of one sensor?")
        if not (np.isfinite(mean).all() and np.abs(matrix.T @ matrix - np.eye(matrix.shape[1])).max() < _ORTHONORMAL):
            raise BundleError("the matrix's columns are not orthonormal, or numbers are not finite: these are no principal components.")
        self._mean, self._matrix = mean.astype(np.float64), matrix.astype(np.float64)
        self.dots, self.size = len(mean) // 2, matrix.shape[1]

    @staticmethod
    def load(folder: Path) -> "MarkerEmbedding":
        """Read the two .npy files of a folder, named as RDP names them; raises BundleError."""
        arrays = []
        for name in (MEAN, MATRIX):
            try:
                arrays.append(np.asarray(np.load(folder / name, allow_pickle=False), dtype=np.float64))
            except (OSError, ValueError, EOFError) as error:
                raise BundleError(f"{folder / name}: no array of numbers: {error}. Expected numpy's .npy, without pickle.") from None
        return MarkerEmbedding(*arrays)

    def embed(self, displacement: Array) -> NDArray[np.float32]:
        """Return the embedding (k,) of displacements (dots, 2), as shares of the image; a dot that is NaN was not found.

        Where dots are lost, it is what fits those best that were found. Raises DataError for fewer than four fifths of them.
        """
        if displacement.shape != (self.dots, 2):
            raise DataError(f"{len(displacement)} dots; the embedding is of {self.dots}. Use that of this gel, or set its diameter.")
        offset = displacement.reshape(-1) - self._mean
        found = np.isfinite(offset)
        if found.mean() < _FEWEST:
            raise DataError(f"{found.sum() // 2} of {self.dots} dots are found, at least {_FEWEST:.0%} have to be. Missing is not zero.")
        if found.all():
            return (offset @ self._matrix).astype(np.float32)
        return np.linalg.lstsq(self._matrix[found], offset[found], rcond=None)[0].astype(np.float32)


class MarkerEncoder:
    """Images of a gel with dots → where they are, and their embedding. The first frames, with nothing on the gel, are the reference."""

    def __init__(self, config: MarkerConfig, embedding: MarkerEmbedding) -> None:
        self._config, self._embedding = config, embedding
        self._tracker = MarkerTracker(config)

    def encode(self, image: NDArray[np.uint8]) -> tuple[Markers, NDArray[np.float32]] | None:
        """Return the dots and the embedding (k,) of `image` (H, W, 3); None while the reference is made. Raises DataError."""
        markers = self._tracker.step(image)
        if self._tracker.reference_px is not None and len(self._tracker.reference_px) != self._embedding.dots:
            found, self._tracker = len(self._tracker.reference_px), MarkerTracker(self._config)
            raise DataError(
                f"{found} dots are on the gel, the embedding is of {self._embedding.dots}. Set diameter_px and contrast in the encoder's "
                "card to what the dots are, or use the embedding of this gel. The reference begins anew."
            )
        if markers is None:
            return None
        height, width, _ = image.shape
        return markers, self._embedding.embed(markers.displacement_px / (width, height))
