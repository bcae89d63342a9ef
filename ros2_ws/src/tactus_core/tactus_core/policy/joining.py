"""How a chunk of actions joins on to those before it, where these plan the same moments.

replace   the new one is taken as it is
ensemble  moments that several chunks plan are averaged, the oldest with the greatest weight (temporal ensembling, Zhao et al. 2023)
prefix    what will have been played before the new one arrives is decided: it is put in at each step of denoising, and the rest is made to
          go on from there (real-time chunking, Black et al. 2025, by inpainting alone, which needs no gradient)
guided    real-time chunking as its authors have it (`guidance.py`): all that the last one plans draws the new one, less the later it is
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import ConfigError
from tactus_core.geometry import from_rot6d, inverse, rigid, rot6d
from tactus_core.history import STAMP_EPSILON_S
from tactus_core.policy.action import interpolate
from tactus_core.policy.card import Card
from tactus_core.policy.guidance import soft_mask
from tactus_core.policy.schedule import Sample, Step, StepHook
from tactus_core.policy.signals import POSES
from tactus_core.policy.specs import DirectSpec
from tactus_core.types import ActionChunk, Array

_LED = ("prefix", "guided")  # by the chunk before, while they are made
JOINS = ("replace", "ensemble", *_LED)
# ACT's: each prediction weighs 1 % less than the one before it.
_DECAY = 0.01
# What is played within this time of an observation is decided when the chunk for it is made: how late a chunk is taken to come.
COMMITTED_S = 0.2


@dataclass(frozen=True)
class Known:
    """What is known of a chunk before it is made: its first rows (n, A) in physical units, and how much each has to stay so (n,), 0..1."""

    rows: NDArray[np.float32]
    mask: NDArray[np.float32]


class Joining:
    """Remembers the chunks that still reach ahead, and joins the next one on."""

    def __init__(self, card: Card, how: str) -> None:
        """Prepare; raises ConfigError where the card's chunks cannot be joined like this."""
        actions, in_steps = card.latent is None, not isinstance(card.generator, DirectSpec)
        fits = {"replace": True, "ensemble": actions} | dict.fromkeys(_LED, actions and in_steps)
        if not fits.get(how, False):
            raise ConfigError(
                f"join '{how}' does not fit bundle '{card.id}': latents are replaced, what plans in one pass has no steps to be led "
                f"in, and the choice is {', '.join(JOINS)}."
            )
        self._card, self._how = card, how
        self.forget()

    def forget(self) -> None:
        """Start anew."""
        self._earlier: list[ActionChunk] = []

    def plans(self, stamp_s: float, T_base_anchor: Array) -> list[NDArray[np.float32]]:
        """Return what the chunks before plan for the entries of a chunk with this stamp and anchor, the oldest first.

        Raises DataError where one is no motion; it is forgotten then, and so are the others.
        """
        earlier, self._earlier = self._earlier, []
        reaching = [(chunk, continued(chunk, stamp_s, T_base_anchor, self._card)) for chunk in earlier if chunk.stamp_s < stamp_s]
        self._earlier = [chunk for chunk, plan in reaching if len(plan)]
        return [plan for _, plan in reaching if len(plan)]

    def known(self, plans: Sequence[NDArray[np.float32]]) -> Known | None:
        """Return what the next chunk has to go on from, if anything."""
        if self._how not in _LED or not plans:
            return None
        decided = int((COMMITTED_S + STAMP_EPSILON_S) / self._card.chunk.dt_s) + 1
        rows = plans[-1] if self._how == "guided" else plans[-1][:decided]
        return Known(rows, soft_mask(decided, len(rows)))

    def joined(self, chunk: ActionChunk, plans: Sequence[NDArray[np.float32]]) -> ActionChunk:
        """Return the chunk to play, of the one that was made beside `plans`; remember it."""
        if self._how in _LED:
            self._earlier = [chunk]
        if self._how == "ensemble":
            self._earlier.append(chunk)
            return replace(chunk, data=ensembled([*plans, chunk.data], self._card)) if plans else chunk
        return chunk


def continued(chunk: ActionChunk, stamp_s: float, T_base_anchor: Array, card: Card) -> NDArray[np.float32]:
    """Return what a chunk plans for the entries of a later one, with its stamp and anchor: (n, A), as many as it reaches, up to `steps`."""
    left_s = chunk.stamp_s + (len(chunk.data) - 1) * chunk.dt_s - stamp_s
    count = min(max(int((left_s + STAMP_EPSILON_S) / chunk.dt_s) + 1, 0), card.chunk.steps) if left_s >= 0.0 else 0
    out = np.empty((count, card.action_size))
    T_new_old = inverse(T_base_anchor) @ chunk.T_base_anchor
    relative = [part for of, part in card.action_parts if of.signal == "tcp_pose_relative"]
    for i, row in enumerate(out):
        row[:] = interpolate(chunk, stamp_s + i * chunk.dt_s, card)
        for part in relative:
            T = T_new_old @ rigid(row[part][:3], from_rot6d(row[part][3:]))
            row[part] = np.concatenate((T[:3, 3], rot6d(T[:3, :3])))
    return out.astype(np.float32)


def ensembled(plans: Sequence[NDArray[np.float32]], card: Card) -> NDArray[np.float32]:
    """Return the average of plans for the same entries, the oldest first and the newest, which has all of them, last: (steps, A)."""
    total, weights = np.zeros(plans[-1].shape), np.zeros((len(plans[-1]), 1))
    for age, plan in enumerate(plans):
        weight = np.exp(-_DECAY * age)
        total[: len(plan)] += weight * plan
        weights[: len(plan)] += weight
    mean = total / weights
    for part in (part for of, part in card.action_parts if of.signal in POSES):
        for row in mean:
            row[part][3:] = rot6d(from_rot6d(row[part][3:]))
    return mean.astype(np.float32)


def inpainting(known: Sample, first_row: int, start: Sample) -> StepHook:
    """Return the hook that puts what is known of a sample in its place at every step, as noisy as the sample is then.

    known: normalised rows (n, C) from `first_row` on. start: the noise (1, T, C) that the sample is made from.
    """
    rows = slice(first_row, first_row + len(known))

    def put_in(step: Step, sample: Sample) -> Sample:
        sample = sample.copy()
        sample[0, rows] = np.float32(step.signal) * known + np.float32(step.noise) * start[0, rows]
        return sample

    return put_in
