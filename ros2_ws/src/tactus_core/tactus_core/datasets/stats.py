"""The statistics of a LeRobot data set, by column: of what is a number, leaving out NaN (there was nothing)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tactus_core.datasets.episode import Column, Picture, Values
from tactus_core.types import Array

_QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
_SAMPLES = 100


def of_columns(columns: Mapping[str, Column], values: Mapping[str, Values]) -> dict[str, dict[str, Any]]:
    """Return the statistics of all columns of numbers, exact, in the shape of a row; `count` is the number of rows."""
    return {name: _of(np.asarray(values[name])) for name, column in columns.items() if column.dtype != "string"}


def _of(rows: Values) -> dict[str, Any]:
    rows = rows.reshape(len(rows), *(rows.shape[1:] or (1,))).astype(np.float64)
    known = np.isfinite(rows).any(axis=0)
    # A place that never had a number has no statistics; 0 would be a claim, and a warning for each helps nobody.
    filled = np.where(known, rows, 0.0)
    out: dict[str, Array] = {
        "min": np.nanmin(filled, axis=0),
        "max": np.nanmax(filled, axis=0),
        "mean": np.nanmean(filled, axis=0),
        "std": np.nanstd(filled, axis=0),
        **{name: np.nanquantile(filled, q, axis=0) for name, q in _QUANTILES.items()},
    }
    return {name: np.where(known, value, np.nan).tolist() for name, value in out.items()} | {"count": [len(rows)]}


class PictureStats:
    """Statistics of pictures, by colour in 0..1, from a histogram: of up to a hundred pictures of each episode."""

    def __init__(self) -> None:
        self._histogram = np.zeros((3, 256), np.int64)
        self._pictures = 0

    @staticmethod
    def chosen(rows: int) -> set[int]:
        """Return the rows of an episode whose pictures count."""
        return set(np.unique(np.linspace(0, rows - 1, min(rows, _SAMPLES)).astype(int)).tolist())

    def add(self, picture: Picture) -> None:
        """Count a picture (H, W, 3)."""
        for channel in range(3):
            self._histogram[channel] += np.bincount(picture[..., channel].ravel(), minlength=256)
        self._pictures += 1

    def __iadd__(self, other: "PictureStats") -> "PictureStats":
        self._histogram += other._histogram
        self._pictures += other._pictures
        return self

    def result(self) -> dict[str, Any]:
        """Return the statistics, each (3, 1, 1)."""
        level = np.arange(256) / 255.0
        share = self._histogram / self._histogram.sum(axis=1, keepdims=True)
        below = np.cumsum(share, axis=1)
        mean = share @ level
        found = {
            "min": level[np.argmax(share > 0, axis=1)],
            "max": level[255 - np.argmax(share[:, ::-1] > 0, axis=1)],
            "mean": mean,
            "std": np.sqrt(np.maximum(share @ level**2 - mean**2, 0.0)),
            **{name: level[np.argmax(below >= q, axis=1)] for name, q in _QUANTILES.items()},
        }
        return {name: value.reshape(3, 1, 1).tolist() for name, value in found.items()} | {"count": [self._pictures]}
