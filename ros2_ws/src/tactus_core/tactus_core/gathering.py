"""Puts the parts of samples together that arrive one by one."""

from collections.abc import Hashable
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
