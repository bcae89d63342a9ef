"""The chunk that is being played, and what may take its place."""

import math

from tactus_core.errors import DataError
from tactus_core.freshness import Stream
from tactus_core.guard.well_formed import is_pose
from tactus_core.policy.card import Card
from tactus_core.policy.fast import check_chunk
from tactus_core.types import ActionChunk

_DT_TOLERANCE_S = 1e-6  # what float32 makes of a time


class Plan:
    """Holds the newest good chunk. A bad one never takes its place: the good one is played until its own validity ends.

    A chunk ages twice: by the device's stamps, and since its arrival on the receiver's steady clock. bundle_hash: sha256 of the card of
    the only bundle whose chunks are good; while weights are swapped, chunks of others are on their way.
    """

    def __init__(self, card: Card, bundle_hash: str) -> None:
        self._card, self._bundle_hash = card, bundle_hash
        self._chunk: ActionChunk | None = None
        self._outdated_s = -math.inf
        self._arrival = Stream(card.validity_s)

    def offer(self, chunk: ActionChunk, felt_s: float, now_s: float) -> None:
        """Take over a chunk that arrives at `now_s`; raises DataError or StaleError, which say why it was refused.

        felt_s: stamp of the newest touch sample, by which its age is judged; NaN where there is none.
        """
        card = self._card
        check_chunk(chunk, card, felt_s)
        if chunk.bundle_hash != self._bundle_hash:
            raise DataError(
                f"chunk {chunk.sequence} of '{chunk.bundle}' was made with the card {chunk.bundle_hash[:12] or '?'}, here runs "
                f"{self._bundle_hash[:12]}. It is not played; run the slow and the fast policy from one folder."
            )
        if not (is_pose(chunk.T_base_anchor) and abs(chunk.dt_s - card.row_dt_s) <= _DT_TOLERANCE_S):
            raise DataError(
                f"chunk {chunk.sequence} of '{chunk.bundle}' has an anchor that is no pose, or entries {chunk.dt_s} s apart instead of "
                f"{card.row_dt_s} s. It is not played; is somebody else publishing chunks?"
            )
        playing = self.playing(now_s)
        if playing is not None and not (chunk.sequence > playing.sequence and chunk.stamp_s > playing.stamp_s):
            raise DataError(
                f"chunk {chunk.sequence} for {chunk.stamp_s:.3f} s came while chunk {playing.sequence} for {playing.stamp_s:.3f} s is "
                "played: out of order, or twice. It is not played."
            )
        self._chunk = chunk
        self._arrival.arrive(now_s)

    def playing(self, now_s: float) -> ActionChunk | None:
        """Return the chunk to play at `now_s`; None where there is none, it is outdated, or arrived longer ago than the card's validity."""
        if self._chunk is None or self._chunk.stamp_s <= self._outdated_s:
            return None
        return self._chunk if self._arrival.fresh(now_s) else None

    def outdate(self, stamp_s: float) -> None:
        """Play nothing that answers an observation up to this stamp: somebody else moved the robot until then. −inf: nobody did."""
        self._outdated_s = stamp_s

    def withdraw(self) -> None:
        """Forget the chunk: its sender took it back, or time began anew."""
        self._chunk = None
        self._arrival.forget()
