"""A folder of bundle versions, which a learner fills and a robot's graph takes from: each is there as a whole, or not at all."""

from collections.abc import Callable, Iterable
from pathlib import Path


class Arrivals:
    """Bundles that appear in a folder, whoever numbers them; empty: in none. Those that are there from the start have had their time."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._known = self._found()

    def _found(self) -> set[Path]:
        return {card.parent for card in Path(self._folder).glob("[!.]*/card.yaml")} if self._folder else set()

    def fresh(self) -> list[Path]:
        """Return those that nobody knows yet, oldest first."""
        return sorted(self._found() - self._known, key=lambda folder: folder.stat().st_mtime)

    def know(self, folders: Iterable[Path]) -> None:
        """Take these for known."""
        self._known.update(folders)

    def forget(self, folders: Iterable[Path]) -> None:
        """Take these for new once more."""
        self._known.difference_update(folders)


class Versions:
    """Bundles in folders that are numbered from 000000 on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def paths(self) -> list[Path]:
        """Return the folders of all whole versions, oldest first."""
        return sorted(card.parent for card in self.folder.glob("[0-9]*/card.yaml"))

    def publish(self, write: Callable[[Path, int], object]) -> Path:
        """Have the next version written beside, by its folder and number, then rename it; return where it is."""
        have = self.paths()
        number = int(have[-1].name) + 1 if have else 0
        partial, whole = self.folder / f".{number:06d}.partial", self.folder / f"{number:06d}"
        partial.mkdir(parents=True, exist_ok=True)  # one that was cut short is written over
        write(partial, number)
        partial.rename(whole)
        return whole
