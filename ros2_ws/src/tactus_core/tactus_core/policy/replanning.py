"""From which images, or features of the encoder that leads, to plan. Stamps are compared with stamps alone, never with a clock."""

import math

from tactus_core.errors import StaleError
from tactus_core.policy.card import Card


class Replanning:
    """Judges an image by the touch samples that have come since the policy was started: of their device, or in step with it."""

    def __init__(self, card: Card) -> None:
        # A policy that nothing leads plans from the newest touch itself.
        self._max_age_s = card.streams[card.observation.leader].max_age_s if card.observation.leader else 0.0
        self._replan_s = card.replan_s
        self._outdated_s = -math.inf
        self.begin()

    def begin(self) -> None:
        """Start anew: the policy was started, or the device's time began anew."""
        self._first_s = math.inf  # no image is of this time before the first sample says when it began
        self._felt_s = self._planned_s = -math.inf

    @property
    def first_s(self) -> float:
        """Stamp of the first touch sample since; what is older is of another time. Infinite: none has come."""
        return self._first_s

    def feel(self, stamp_s: float) -> None:
        """Note the stamp of the newest touch sample."""
        self._first_s = min(self._first_s, stamp_s)
        self._felt_s = stamp_s

    def outdate(self, stamp_s: float) -> None:
        """Plan anew, and from nothing seen up to this stamp: somebody else moved the robot until then. −inf: nobody did."""
        self._outdated_s = stamp_s

    def due(self, seen_s: float) -> bool:
        """Return whether to plan from the image with this stamp; raises StaleError for one that is too old, or of another time.

        Not due: an image from before the first touch sample, which shows another episode, or from before the policy had control back,
        and any while the last plan is young and of use.
        """
        young = self._felt_s - self._planned_s < self._replan_s and self._planned_s > self._outdated_s
        if not seen_s >= self._first_s or seen_s <= self._outdated_s or young:
            return False
        if not abs(self._felt_s - seen_s) <= self._max_age_s:
            raise StaleError(
                f"the image at {seen_s:.3f} s is {self._felt_s - seen_s:.3f} s older than the newest touch; at most {self._max_age_s} s "
                "are allowed. Nothing is planned from it; do camera and encoder keep up, and are all stamps of one clock?"
            )
        return True

    def planned(self, seen_s: float) -> None:
        """Note that a chunk answers the image with this stamp."""
        self._planned_s = seen_s
