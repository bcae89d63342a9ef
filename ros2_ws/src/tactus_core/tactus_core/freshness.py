"""How fresh an input is. Judged by when it arrived on the receiver's steady clock: a sender's stamp proves nothing."""

import math
from typing import Any

from tactus_core.errors import ConfigError

# Stamps of one device that are farther apart than this belong to two times: its clock was set, or it was started anew.
CLOCK_STEP_S = 1.0


class Stream:
    """The freshness contract of one input of one node; all times are of the receiver's steady clock [s].

    max_age_s: age from which it is not used any more; infinite: no maximum. frozen_s: a real sensor never says the same twice, so what
    has come again and again unchanged for longer than this is as old as its first arrival, and not used; 0: content is not judged (a
    sensor at rest may repeat itself).
    """

    def __init__(self, max_age_s: float, frozen_s: float = 0.0) -> None:
        # Written so that NaN fails as well.
        if not (max_age_s > 0.0 and frozen_s >= 0.0):
            raise ConfigError(f"max_age_s must be above 0 and frozen_s not below, got {max_age_s} and {frozen_s}. Correct the contract.")
        self.max_age_s, self.frozen_s = max_age_s, frozen_s
        self._arrived_s = self._changed_s = -math.inf
        self._content: Any = None
        self.forget()

    def arrive(self, now_s: float, content: Any = None) -> None:
        """Note an arrival. content: what is compared with the last one by `==`, such as an array's bytes; None: always new."""
        self._before = (self._arrived_s, self._changed_s, self._content)
        self._arrived_s = now_s
        if content is None or content != self._content:
            self._content, self._changed_s = content, now_s

    def retract(self) -> None:
        """Take back the last arrival: it was not what it should be."""
        self._arrived_s, self._changed_s, self._content = self._before

    def age_s(self, now_s: float) -> float:
        """Return the age of what is known; infinite before the first arrival, and from the future."""
        age_s = now_s - (self._changed_s if self._frozen else self._arrived_s)
        return age_s if age_s >= 0.0 else math.inf

    def fresh(self, now_s: float) -> bool:
        """Return whether it may be used."""
        return self.age_s(now_s) <= self.max_age_s and not self._frozen and self._arrived_s > -math.inf

    def complaint(self, now_s: float) -> str:
        """Say why it may not be used; empty: it may, or nothing is asked of it."""
        if self.fresh(now_s) or (self.max_age_s == math.inf and not self._frozen):
            return ""
        age_s = self.age_s(now_s)
        if age_s == math.inf:
            return "nothing has come yet"
        if self._frozen:
            return f"the same content for {age_s:.2f} s, a live sensor changes within {self.frozen_s} s"
        return f"nothing for {age_s:.2f} s, at most {self.max_age_s} s are allowed"

    def forget(self) -> None:
        """Start as if nothing had ever arrived."""
        self._arrived_s = self._changed_s = -math.inf
        self._content = None
        self._before = (-math.inf, -math.inf, None)

    @property
    def _frozen(self) -> bool:
        return 0.0 < self.frozen_s < self._arrived_s - self._changed_s
