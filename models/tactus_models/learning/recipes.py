"""What tells the off-policy methods apart: what is rewarded, and which transitions are drawn when."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tactus_core.learning.transitions import Transitions
from tactus_core.types import Array
from tactus_models.layout import FORCE_AT
from tactus_models.residual.replay import at_success

_WIPING_N = (2.0, 15.0)  # in which the task wants the force that presses the pad
_PER_ROW = 0.05  # so that a second of what is best is worth 1


@dataclass(frozen=True)
class Recipe:
    """reward: of each row (n,). ends_pay: a demonstration's end is rewarded.

    offline: it first learns from demonstrations alone, then collects without learning, and draws none of them ever after.
    shown: it learns from demonstrations at all. endless: what is paid would have gone on after an episode's end.
    """

    reward: Callable[[Transitions], Array]
    ends_pay: bool = True
    offline: bool = False
    shown: bool = True
    endless: bool = False


def labelled(episode: Transitions) -> Array:
    """Return 1 at the end of a success, as its label says; without a label nothing is known of the end, and nothing is paid."""
    return at_success(len(episode), bool(episode.success))


def before_onsets(episode: Transitions) -> Array:
    """Return −1 on the row just before each onset of an intervention, else 0 (Luo et al. 2023, RLIF): the task pays nothing."""
    return np.append(-episode.onset[1:].astype(np.float64), 0.0)


def pressed(episode: Transitions) -> Array:
    """Return up to 0.05 a row for a measured force in the middle of its band, 0 at the band's edges, at least −0.05 beyond."""
    low_N, high_N = _WIPING_N
    off_N = np.abs(-episode.observed[:, FORCE_AT] - (low_N + high_N) / 2)
    return np.asarray(_PER_ROW * np.maximum(1.0 - off_N / ((high_N - low_N) / 2), -1.0))


RECIPES: Mapping[str, Recipe] = {
    "hil": Recipe(labelled),  # Luo et al. 2024, HIL-SERL: its buffers
    "rlif": Recipe(before_onsets, ends_pay=False),
    "wsrl": Recipe(labelled, offline=True),  # Zhou et al. 2024: warm start
}
# Each moment of a long episode decides whether a board was wiped well; how deep demonstrations press is right for their arm alone.
_OF_TASK: Mapping[tuple[str, str], Recipe] = {
    ("hil", "wipe"): Recipe(pressed, shown=False, endless=True),
    ("rlif", "wipe"): Recipe(before_onsets, shown=False),
}


def recipe_of(method: str, task: str) -> Recipe:
    """Return how a method learns a task."""
    return _OF_TASK.get((method, task), RECIPES[method])
