"""Motion of a gel by the dots on it: where each dot of an optical touch sensor is, and how far it was carried from where it rests.

Dots are darker than the gel around them, of one size, and stand apart. A dot is its centre of darkness; from frame to frame it is looked
for near where it last was, or, once lost, where its neighbours went. A gel that is not seen while it moves, or that moves too fast, may
come back with each dot where its neighbour was: so once most dots are lost, none is told until nearly all are found about where they rest.
Where dots beyond the image's edge take the places of those that left, that is not noticed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tactus_core.config import param
from tactus_core.errors import DataError
from tactus_core.types import Array

_Mask = NDArray[np.bool_]

_NEIGHBOURS = 4
_FEWEST = 2 * (_NEIGHBOURS + 1)  # of which half leave each dot its neighbours
_GEL_DIAMETERS = 4.0  # side of the square whose mean is the gel's brightness at its middle
_WINDOW_DIAMETERS = 0.8  # half the side of the square that a dot has to itself
_FARTHEST = 0.45  # shares of the spacing: what a dot moves by at most from frame to frame,
_WIDE = 0.35  # and half the side of the square in which it is looked for
_STILL_DIAMETERS = 0.1
_ASTRAY, _BACK = 0.5, 0.9  # shares of the dots: with fewer found, nothing is sure any more; with so many, all is again
_MASSES = (0.5, 2.0)  # a dot's darkness as share of what it is at rest
_WIDE_STEPS, _STEPS = 2, 5


@dataclass(frozen=True)
class MarkerConfig:
    """Parameters of the tracker."""

    diameter_px: float = param(9.0, low=3.0, high=100.0, doc="Diameter of a dot.")
    contrast: float = param(0.2, low=0.02, high=0.9, doc="Share by which the middle of a dot is darker than the gel, at least.")
    reference_frames: int = param(5, low=1, high=1000, doc="Frames of the gel at rest, at the start, that make the reference.")


@dataclass(frozen=True)
class Markers:
    """What one frame shows, for each dot of the reference, from its upper left on, in rows. NaN: this dot was not found.

    position_px: (dots, 2) x (right) y (down), of pixels' middles. displacement_px: (dots, 2) from where the dot is at rest.
    """

    position_px: Array
    displacement_px: Array


class MarkerTracker:
    """Tracks the dots that are there at the start, when nothing may touch the gel: as long as they move, the reference starts again.

    reference_px: (dots, 2) where they rest, the mean over the reference's frames; None while it is made.
    """

    def __init__(self, config: MarkerConfig) -> None:
        self._config = config
        self._half = round(_WINDOW_DIAMETERS * config.diameter_px)
        self._shape: tuple[int, ...] = ()
        self._still: list[Array] = []
        self.reference_px: Array | None = None

    def step(self, image: NDArray[np.uint8]) -> Markers | None:
        """Return where the dots are in `image` (H, W, 3), frames in the order of their capture; None while the reference is made.

        Raises DataError for another shape or dtype, and, while there is no reference, for an image without dots.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.shape != (self._shape or image.shape):
            raise DataError(
                f"touch image is {image.dtype} {image.shape}; expected uint8, {self._shape or '(H, W, 3)'}, alike in every frame. Check "
                "the sensor's driver; restart the tracker after a change of resolution."
            )
        darkness = self._darkness(image)
        if self.reference_px is None:
            self._collect(darkness)
            self._shape = image.shape
            return None
        return self._track(darkness, self.reference_px)

    def _darkness(self, image: NDArray[np.uint8]) -> Array:
        """Return (H, W) how much darker than the gel around it each pixel is, as share of that; lights may be uneven."""
        red, green, blue = image.transpose(2, 0, 1).astype(np.float64)
        light = red + green + blue
        gel = _box(light, round(_GEL_DIAMETERS * self._config.diameter_px / 2))
        return 1.0 - _box(light, 1) / np.maximum(gel, 1.0)

    def _collect(self, darkness: Array) -> None:
        if self._still:
            position_px, mass, whole = self._settle(darkness, self._still[0], (self._half,) * _STEPS)
            moved_px = np.abs(position_px - self._still[0]).max()
            if not whole.all() or moved_px > _STILL_DIAMETERS * self._config.diameter_px:
                self._still = []
        if not self._still:
            position_px, mass = self._find(darkness)
        self._still.append(position_px)
        if len(self._still) == self._config.reference_frames:
            self._begin(np.mean(self._still, axis=0), mass)

    def _begin(self, reference_px: Array, mass: Array) -> None:
        self._apart_px = _distances(reference_px)
        self._spacing_px = float(np.median(self._apart_px.min(axis=1)))
        self._mass, self._shift_px, self._astray = mass, np.zeros_like(reference_px), False
        self.reference_px = reference_px

    def _find(self, darkness: Array) -> tuple[Array, Array]:
        """Return the dots of an image, (n, 2), and their masses (n,); raises DataError where there are too few."""
        least, diameter_px = self._config.contrast, self._config.diameter_px
        rows, columns = np.nonzero((darkness >= least) & (darkness == _highest(darkness, round(diameter_px / 2))))
        start_px = np.column_stack([columns, rows]).astype(np.float64)
        position_px, mass, whole = self._settle(darkness, start_px, (self._half,) * _STEPS)
        position_px, mass = position_px[whole], mass[whole]
        twin = np.tril(_distances(position_px) < diameter_px / 2).any(axis=1)  # of one before it, that led to the same dot
        position_px, mass = position_px[~twin], mass[~twin]
        if len(mass) < _FEWEST:
            raise DataError(
                f"{len(mass)} dots of {diameter_px:g} px were found that are {least:.0%} darker than the gel; expected at least {_FEWEST}. "
                "Has this gel markers? Set diameter_px and contrast to what they are."
            )
        order = _in_rows(position_px, diameter_px)
        return position_px[order], mass[order]

    def _track(self, darkness: Array, reference_px: Array) -> Markers:
        expected_px = reference_px + self._shift_px
        halves = (max(self._half, round(_WIDE * self._spacing_px)),) * _WIDE_STEPS + (self._half,) * _STEPS
        position_px, mass, found = self._settle(darkness, expected_px, halves)
        share, farthest_px = mass / self._mass, _FARTHEST * self._spacing_px
        found &= (share > _MASSES[0]) & (share < _MASSES[1])
        found &= np.hypot(*(position_px - expected_px).T) < farthest_px
        # Two at one place: nothing tells which of them it is.
        found &= (_distances(np.where(found[:, None], position_px, np.inf)) > self._config.diameter_px / 2).all(axis=1)
        shift_px = np.where(found[:, None], position_px - reference_px, self._shift_px)
        near = np.where(found, self._apart_px, np.inf).argsort(axis=1)[:, :_NEIGHBOURS]  # of those that were found
        around_px = np.median(shift_px[near], axis=1)
        found &= np.hypot(*(shift_px - around_px).T) < farthest_px
        self._astray = bool(found.mean() < (_BACK if self._astray else _ASTRAY))
        found &= not self._astray
        self._shift_px = np.where(found[:, None], shift_px, 0.0 if self._astray else around_px)
        seen_px = np.where(found[:, None], position_px, np.nan)
        return Markers(seen_px, seen_px - reference_px)

    def _settle(self, darkness: Array, start_px: Array, halves: tuple[int, ...]) -> tuple[Array, Array, _Mask]:
        """Move squares (halves: of their sides, one after the other) from `start_px` (n, 2) to the centres of darkness in them.

        Return these (n, 2), the darkness (n,) in the last square, and whether (n,) a whole dot is there, alone.
        """
        height, width = darkness.shape
        margin = max(halves)
        padded = np.pad(np.maximum(darkness - self._config.contrast / 2, 0.0), margin)
        position_px, last_px = start_px, np.array([width - 1.0, height - 1.0])
        for half in halves:
            offsets = np.arange(-half, half + 1)
            columns, rows = np.rint(np.clip(position_px, 0.0, last_px)).astype(np.int64).T
            square = padded[margin + rows[:, None, None] + offsets[:, None], margin + columns[:, None, None] + offsets]
            mass = square.sum(axis=(1, 2))
            sums = np.column_stack([square.sum(axis=1) @ offsets, square.sum(axis=2) @ offsets])
            position_px = np.column_stack([columns, rows]) + sums / np.maximum(mass, 1e-9)[:, None]
        sides = np.stack([square[:, 0], square[:, -1], square[:, :, 0], square[:, :, -1]]).mean(axis=2).max(axis=0)
        middle = square[:, half - 1 : half + 2, half - 1 : half + 2].mean(axis=(1, 2))
        inside_px = np.minimum(position_px, last_px - position_px).min(axis=1)
        alone = sides < self._config.contrast / 4
        return position_px, mass, alone & (middle > self._config.contrast / 2) & (inside_px > self._config.diameter_px / 2)


def _box(values: Array, half: int) -> Array:
    """Return the means over squares around each pixel; what lies outside is as the edge."""
    size = 2 * half + 1
    sums = np.pad(values, ((half + 1, half), (half + 1, half)), mode="edge").cumsum(axis=0).cumsum(axis=1)
    return (sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]) / size**2


def _highest(values: Array, half: int) -> Array:
    """Return the highest value in the square around each pixel."""
    for axis in (0, 1):
        padded = np.pad(values, [(half, half) if axis == a else (0, 0) for a in (0, 1)], constant_values=-np.inf)
        values = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=axis).max(axis=-1)
    return values


def _distances(position_px: Array) -> Array:
    """Return (n, n) distances from each to each other; infinite from each to itself, and where both are infinitely far away."""
    with np.errstate(invalid="ignore"):
        apart_px = position_px[:, None] - position_px
    distance_px = np.nan_to_num(np.hypot(apart_px[..., 0], apart_px[..., 1]), nan=np.inf, posinf=np.inf)
    np.fill_diagonal(distance_px, np.inf)
    return distance_px


def _in_rows(position_px: Array, gap_px: float) -> NDArray[np.intp]:
    """Return the order from the upper left on: a row ends where the next dot is lower by more than `gap_px`."""
    by_height = position_px[:, 1].argsort()
    row = np.zeros(len(position_px), dtype=np.int64)
    row[by_height] = np.concatenate([[0], np.cumsum(np.diff(position_px[by_height, 1]) > gap_px)])
    return np.lexsort((position_px[:, 0], row))
