"""Touch of the RH56DFTP: 1062 taxels in 17 patches, a register each, and which of them are read when.

Sources: the manual's address ranges, a finger each, and Unitree's inspire_hand_sdk, which takes each finger apart into these patches. Which
way round the rows of a patch lie, and where it lies on the hand, neither says: others' programs turn the palm by a right angle. So a taxel
has the number of its register within its patch, and no position. Nor does anybody name a unit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tactus_hardware.ports import Reading, Taxels

# Where each begins; like all of this hand's addresses they count bytes, and a taxel has two.
FINGERS = {"little": 3000, "ring": 3370, "middle": 3740, "index": 4110, "thumb": 4480, "palm": 4900}
END = 5124
_FINGER = (("_tip", 3, 3), ("_nail", 12, 8), ("_pad", 10, 8))
_PARTS = {
    **dict.fromkeys(("little", "ring", "middle", "index"), _FINGER),
    "thumb": (("_tip", 3, 3), ("_nail", 12, 8), ("_middle", 3, 3), ("_pad", 12, 8)),
    "palm": (("", 14, 8),),
}
_WHOLE = 9  # taxels up to which a patch is read at once, however few rows are asked for


@dataclass(frozen=True)
class Patch:
    """A field of taxels, row after row. address: of the first one's register."""

    name: str
    address: int
    rows: int
    columns: int

    @property
    def count(self) -> int:
        """How many taxels, and registers."""
        return self.rows * self.columns


def _patches() -> Iterator[Patch]:
    for finger, address in FINGERS.items():
        for part, rows, columns in _PARTS[finger]:
            yield Patch(f"{finger}{part}", address, rows, columns)
            address += 2 * rows * columns


PATCHES = tuple(_patches())
NAMES = tuple(f"{patch.name}/{number}" for patch in PATCHES for number in range(patch.count))


class Scan:
    """Reads the whole hand in turns, a part of it at a time, again and again.

    Its reading is stamped as the first part was asked for: no taxel is older than its stamp says, and none is passed on twice.
    """

    def __init__(self, rows: int) -> None:
        """rows: of a patch, that are read at a time."""
        self._parts = [part for patch in PATCHES for part in _parts(patch, rows)]
        self._turn, self._began_s = 0, 0.0

    @property
    def next(self) -> tuple[int, int]:
        """Address and count of the registers that are to be read next."""
        return self._parts[self._turn]

    def take(self, asked_s: float, counts: Sequence[int]) -> Reading[Taxels] | None:
        """Take in what the registers of `next`, asked for at `asked_s`, say; return the whole hand if they were the last of it."""
        if self._turn == 0:
            self._value, self._began_s = np.full(len(NAMES), np.nan), asked_s
        address, count = self.next
        first = (address - PATCHES[0].address) // 2
        self._value[first : first + count] = counts
        self._turn = (self._turn + 1) % len(self._parts)
        return None if self._turn else Reading(self._began_s, Taxels.of_one_axis(self._value, "counts", NAMES))


def _parts(patch: Patch, rows: int) -> Iterator[tuple[int, int]]:
    step = patch.count if patch.count <= _WHOLE else rows * patch.columns
    for first in range(0, patch.count, step):
        yield patch.address + 2 * first, min(step, patch.count - first)
