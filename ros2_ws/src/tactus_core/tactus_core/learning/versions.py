"""A folder of bundle versions, which a learner fills and a robot's graph takes from: each is there as a whole, or not at all."""

from collections.abc import Callable
from pathlib import Path


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
