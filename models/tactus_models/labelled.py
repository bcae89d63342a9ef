"""Episodes whose images are labelled (`done` of `learning/shown.py`), and how well somebody else labels them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import DataError
from tactus_core.history import StateArrays
from tactus_core.types import Array
from tactus_models.dataset import Demonstrated, anchor_ticks, episode_of


@dataclass(frozen=True)
class Labelled:
    """One episode. images (n,H,W,3) uint8 with enough history of `states`; done (n,), as `learning/shown.py` says, at stamps_s (n,)."""

    images: NDArray[np.uint8]
    stamps_s: Array
    done: NDArray[np.int8]
    states: StateArrays


def load_labelled(path: Path) -> Labelled:
    """Read an episode; raises DataError for one without labels, or that is not as `learning/shown.py` says."""
    file = Demonstrated(path)
    episode, (_, kept) = episode_of(file.arrays(), file.name), anchor_ticks(*file.times())
    done = file.read(("done",))["done"]
    if done.shape != kept.shape or not np.isin(done, (-1, 0, 1)).all():
        raise DataError(f"{path}: 'done' has shape {done.shape}, expected {kept.shape} of 1, 0 or -1. Label it again.")
    return Labelled(episode.images, episode.states.stamp_s[episode.anchors], done[kept], episode.states)


def errors(probability: NDArray[Any], done: NDArray[np.bool_], threshold: float) -> dict[str, float]:
    """Return of the images (n,) the share that is right, which share of each label is wrong, and the area under the ROC curve.

    What has no image to be told of is NaN.
    """
    said = probability >= threshold
    return {
        "accuracy": float((said == done).mean()),
        "missed": float((~said[done]).mean()) if done.any() else np.nan,
        "false_alarms": float(said[~done].mean()) if not done.all() else np.nan,
        "auc": _auc(probability[done], probability[~done]),
    }


def _auc(positive: NDArray[Any], negative: NDArray[Any]) -> float:
    """Return how often a success has the higher probability of a pair (Mann and Whitney); ties are half."""
    if not len(positive) or not len(negative):
        return np.nan
    order = np.sort(negative)
    below, up_to = (np.searchsorted(order, positive, side=side) for side in ("left", "right"))
    return float((below + up_to).mean() / (2 * len(negative)))
