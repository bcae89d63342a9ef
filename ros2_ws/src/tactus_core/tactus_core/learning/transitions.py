"""One record of an episode for every method that learns from it: residuals, interventions, labels.

An episode is one .npz, without pickles, one row per decision of a residual (`policy/residual.py`); the base's action is the last part of
what is observed, so a row and the next one hold (s, a_base) and (s', a_base').
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import DataError
from tactus_core.policy.graphs import TWIST_SIZE
from tactus_core.types import Array

# Where a success came from: the operator's or the task's own word, a classifier's guess, or nobody's.
REWARD_SOURCES = ("label", "classifier", "none")
_FORMAT = 1
_ROWS: Mapping[str, tuple[type, tuple[int, ...]]] = {
    "correction": (np.floating, (TWIST_SIZE,)),
    "executed": (np.floating, (TWIST_SIZE,)),
    "intervened": (np.bool_, ()),
    "onset": (np.bool_, ()),
    "stamp_s": (np.floating, ()),
}


@dataclass(frozen=True)
class Transitions:
    """An episode, one row per decision.

    observed: (n, L+6) un-normalised, see `policy/residual.py`. correction: (n, 6) what the residual decided, in shares of
    its limits, what it tried included.
    executed: (n, 6) what the guard sent, as the twist [m, rad] from the tcp in the tcp's frame. intervened: (n,) a human had control;
    onset: (n,) and had taken it since the row before. stamp_s: (n,) when it was decided, by the device's clock.
    success: None where nobody said; reward_source: who did. ended: by success or failure; false: its time was up.
    bundle, bundle_hash: what acted. seed: of a world in lockstep; −1: lived in real time, by a robot or its simulation. episode: counts
    those of one experience.
    """

    observed: Array
    correction: Array
    executed: Array
    intervened: NDArray[np.bool_]
    onset: NDArray[np.bool_]
    stamp_s: Array
    success: bool | None
    ended: bool
    reward_source: str
    bundle: str
    bundle_hash: str
    seed: int
    episode: int

    def __post_init__(self) -> None:
        """Raise DataError where rows do not fit together."""
        rows = {"observed": (np.floating, self.observed.shape[1:2]), **_ROWS}
        for name, (kind, width) in rows.items():
            values = getattr(self, name)
            good = np.issubdtype(values.dtype, kind) and values.shape == (len(self.stamp_s), *width) and np.isfinite(values).all()
            if not good or (name == "observed" and width <= (TWIST_SIZE,)):
                raise DataError(
                    f"episode {self.episode}: '{name}' is {values.dtype} {values.shape}, expected {len(self.stamp_s)} rows of {width}, "
                    f"finite, {kind.__name__}. It was not recorded as a whole; leave it out."
                )
        begins = self.intervened[1:] & ~self.intervened[:-1]
        if (np.diff(self.stamp_s) <= 0.0).any() or (self.onset & ~self.intervened).any() or (begins & ~self.onset[1:]).any():
            raise DataError(
                f"episode {self.episode}: its stamps go back, or an intervention and its onset do not belong together: rows were lost. "
                "Leave it out."
            )
        if self.reward_source not in REWARD_SOURCES or (self.success is None) != (self.reward_source == "none"):
            raise DataError(
                f"episode {self.episode}: success {self.success} by '{self.reward_source}', expected one of {', '.join(REWARD_SOURCES)}, "
                "'none' just where nobody said. Label it again."
            )

    def __len__(self) -> int:
        return len(self.stamp_s)

    @property
    def interventions(self) -> int:
        """How often a human took control."""
        return int(self.onset.sum())


def save(episode: Transitions, path: Path) -> None:
    """Write an episode; it is there as a whole or not at all."""
    plain = {f.name: getattr(episode, f.name) for f in fields(episode)}
    # 1, 0, or -1 where nobody said: a missing label is no failure.
    plain["success"] = -1 if episode.success is None else int(episode.success)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez_compressed(
            file, allow_pickle=False, format=np.array(_FORMAT), **{name: np.asarray(value) for name, value in plain.items()}
        )
    partial.rename(path)


def load(path: Path) -> Transitions:
    """Read an episode; raises DataError for a file that is not as `save` writes it."""
    names = [f.name for f in fields(Transitions)]
    try:
        with np.load(path, allow_pickle=False) as file:
            if int(file["format"]) != _FORMAT:
                raise DataError(f"{path}: format {int(file['format'])}, expected {_FORMAT}. Was it written by another version of Tactus?")
            values: dict[str, Any] = {name: file[name] for name in names}
        for name in set(names) - {"observed", *_ROWS}:
            values[name] = values[name].item()
        told = {-1: None, 0: False, 1: True}[values["success"]]
        return Transitions(**{**values, "success": told, "ended": bool(values["ended"])})
    except (KeyError, ValueError, OSError, TypeError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not an episode's transitions: {error!r}. Leave it out, or record it again.") from None


class Experience:
    """A folder of episodes, which one process writes and others read while it grows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def paths(self) -> list[Path]:
        """Return the files of all whole episodes, in order."""
        return sorted(self.folder.glob("[0-9]*.npz"))

    def path(self, episode: int) -> Path:
        """Return the file of an episode."""
        return self.folder / f"{episode:06d}.npz"

    def seen(self, episode: int) -> Path:
        """Return the file of what an episode's interventions looked like, in the form of demonstrations; there is none without any."""
        return self.folder / "corrections" / f"{episode:06d}.npz"
