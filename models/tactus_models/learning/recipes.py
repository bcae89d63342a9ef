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


def worth_doing_again(episode: Transitions, doubted_s: float) -> Array:
    """Return the worth (n,) of imitating each row: 1 for what a human did, and for what the policy did in a success, 0 for the rest.

    Nothing is worth what the policy did in the last `doubted_s` before a human took over: that is what he corrected,
    and what Liu et al. 2022 ("Robot Learning on the Job") leave out; their other weights, by how frequent a kind of row is, are not used.
    """
    onsets_s = episode.stamp_s[episode.onset]
    to_onset_s = onsets_s[None, :] - episode.stamp_s[:, None]
    doubted = ((to_onset_s > 0.0) & (to_onset_s <= doubted_s)).any(axis=1)
    return np.where(episode.intervened, 1.0, float(bool(episode.success)) * ~doubted)


RECIPES: Mapping[str, Recipe] = {
    "hil": Recipe(labelled),  # Luo et al. 2024, HIL-SERL: its buffers
    "rlif": Recipe(before_onsets, ends_pay=False),
    "wsrl": Recipe(labelled, offline=True),  # Zhou et al. 2024: warm start
}
