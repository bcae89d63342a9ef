"""Contact on an optical touch sensor: where the gel's image differs from what it shows untouched."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tactus_core.config import param
from tactus_core.errors import ConfigError, DataError


@dataclass(frozen=True)
class ContactConfig:
    """Parameters of the contact detector. Shares are of the image's pixels, so that they hold at any resolution."""

    reference_frames: int = param(5, low=1, high=1000, doc="Frames without contact, at the start, that make the reference.")
    threshold: float = param(40.0, low=1.0, high=765.0, doc="Summed |RGB difference| above which a pixel counts as touched.")
    on_share: float = param(2.5e-4, low=1e-6, high=1.0, doc="Touched share of the image at which contact begins.")
    off_share: float = param(1.2e-4, low=0.0, high=1.0, doc="Touched share below which contact ends.")

    def __post_init__(self) -> None:
        if not self.off_share <= self.on_share:
            raise ConfigError(f"off_share must not exceed on_share, got {self.off_share} and {self.on_share}. Contact would flutter.")


@dataclass(frozen=True)
class Contact:
    """What one frame shows.

    touching: None while the reference is made. changed: contact begins or ends with this frame. area_px: touched pixels.
    centroid_px: their mean (x, y), NaN where there are none.
    """

    touching: bool | None
    changed: bool
    area_px: int
    centroid_px: tuple[float, float]


_UNKNOWN = Contact(None, False, 0, (float("nan"), float("nan")))


class ContactDetector:
    """Compares frames with a reference, their pixel-wise median at the start; what is always there (a speck, a scratch) cancels.

    The reference is made of frames that agree with each other: as long as something moves on the gel, it starts again.
    """

    def __init__(self, config: ContactConfig) -> None:
        self._config = config
        self._first: list[NDArray[np.uint8]] = []
        self._reference: NDArray[np.int16] | None = None
        self._touching = False

    def step(self, image: NDArray[np.uint8]) -> Contact:
        """Return what `image` (H, W, 3) shows; frames in the order of their capture. Raises DataError for another shape or dtype."""
        expected = self._first[0].shape if self._first else image.shape
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.shape != expected:
            raise DataError(
                f"touch image is {image.dtype} {image.shape}; expected uint8, {expected if image.ndim == 3 else '(H, W, 3)'}, alike in "
                "every frame. Check the sensor's driver; restart the detector after a change of resolution."
            )
        if self._reference is None:
            self._collect(image)
            return _UNKNOWN
        touched = self._differs(image, self._reference)
        area_px = int(touched.sum())
        share = self._config.off_share if self._touching else self._config.on_share
        # Without the second condition an untouched gel would count as touched where the share is 0.
        touching = area_px >= share * touched.size and area_px > 0
        changed, self._touching = touching != self._touching, touching
        return Contact(touching, changed, area_px, _centroid(touched))

    def _collect(self, image: NDArray[np.uint8]) -> None:
        if self._first and self._differs(image, self._first[0].astype(np.int16)).mean() > self._config.on_share:
            self._first.clear()
        self._first.append(image.copy())
        if len(self._first) == self._config.reference_frames:
            self._reference = np.median(self._first, axis=0).astype(np.int16)
            del self._first[1:]

    def _differs(self, image: NDArray[np.uint8], reference: NDArray[np.int16]) -> NDArray[np.bool_]:
        return np.abs(image - reference).sum(axis=2) > self._config.threshold


def _centroid(touched: NDArray[np.bool_]) -> tuple[float, float]:
    rows, columns = np.nonzero(touched)
    return (float(columns.mean()), float(rows.mean())) if len(rows) else (float("nan"), float("nan"))
