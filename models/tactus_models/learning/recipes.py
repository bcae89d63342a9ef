"""What tells the off-policy methods apart: what is rewarded, and which transitions are drawn when."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tactus_core.learning.transitions import Transitions
from tactus_core.types import Array
from tactus_models.residual.replay import at_success


@dataclass(frozen=True)
class Recipe:
    """reward: of each row (n,). ends_pay: a demonstration's end is rewarded.

    offline: it first learns from demonstrations alone, then collects without learning, and draws none of them ever after.
    """

    reward: Callable[[Transitions], Array]
    ends_pay: bool = True
    offline: bool = False


def labelled(episode: Transitions) -> Array:
    """Return 1 at the end of a success, as its label says; without a label nothing is known of the end, and nothing is paid."""
    return at_success(len(episode), bool(episode.success))


def before_onsets(episode: Transitions) -> Array:
    """Return −1 on the row just before each onset of an intervention, else 0 (Luo et al. 2023, RLIF): the task pays nothing."""
    return np.append(-episode.onset[1:].astype(np.float64), 0.0)


RECIPES: Mapping[str, Recipe] = {
    "hil": Recipe(labelled),  # Luo et al. 2024, HIL-SERL: its buffers
    "rlif": Recipe(before_onsets, ends_pay=False),
    "wsrl": Recipe(labelled, offline=True),  # Zhou et al. 2024: warm start
}
