"""Puts the parts of samples together that arrive one by one: by what they share, or the newest of each."""

from collections.abc import Hashable, Sequence
from typing import Any


class Gathering:
    """Collects `parts` parts per sample by a key that they share, and hands over each complete sample once.

    Samples arrive in order, their keys need not rise: a clock may be set back. What began to arrive before a complete sample stays
    incomplete and is given up; so is the oldest of more than `capacity` incomplete ones. Both are counted in `lost`.
    """

    def __init__(self, parts: int, capacity: int = 256) -> None:
        self._parts = parts
        self._capacity = capacity
        self._open: dict[Hashable, list[Any]] = {}  # in the order of their first parts
        self.lost = 0

    def put(self, index: int, key: Hashable, part: Any) -> list[Any] | None:
        """Take part `index` of the sample `key`; return all of its parts where it is complete with it."""
        sample = self._open.setdefault(key, [None] * self._parts)
        sample[index] = part
        if None not in sample:
            while (oldest := next(iter(self._open))) != key:
                self._give_up(oldest)
            del self._open[key]
            return sample
        if len(self._open) > self._capacity:
            self._give_up(next(iter(self._open)))
        return None

    def _give_up(self, key: Hashable) -> None:
        del self._open[key]
        self.lost += 1


class Joining:
    """Joins what devices with clocks of their own tell: each first part with the newest of every other.

    A first part that comes while another is missing, or too old, makes no sample; it is counted in `lost`.
    """

    def __init__(self, max_age_s: Sequence[float]) -> None:
        """max_age_s: of each part but the first, since its arrival."""
        self._max_age_s = tuple(max_age_s)
        self._newest: list[tuple[float, Any] | None] = [None] * len(self._max_age_s)
        self.lost = 0

    def put(self, index: int, now_s: float, part: Any) -> list[Any] | None:
        """Take part `index`, which arrives at `now_s` by the receiver's steady clock; return all parts of the sample that it makes."""
        if index:
            self._newest[index - 1] = (now_s, part)
            return None
        others = [newest[1] for newest, age_s in zip(self._newest, self._max_age_s, strict=True) if newest and now_s - newest[0] <= age_s]
        if len(others) < len(self._newest):
            self.lost += 1
            return None
        return [part, *others]
