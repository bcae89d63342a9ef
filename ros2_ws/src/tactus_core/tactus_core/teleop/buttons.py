"""Buttons that say something at the moment when they are pressed."""

from collections.abc import Mapping, Sequence


class Presses:
    """words: what each button says, by its index. A button that is down when it is first heard says nothing."""

    def __init__(self, words: Mapping[int, str]) -> None:
        self._words = words
        self._before: Sequence[int] | None = None

    def said(self, buttons: Sequence[int]) -> list[str]:
        """Return what is said by the buttons that were pressed since the last reading; buttons: 1 where one is down."""
        before, self._before = self._before, tuple(buttons)
        if before is None:
            return []
        return [word for i, word in self._words.items() if 0 <= i < len(buttons) and buttons[i] and not (i < len(before) and before[i])]
