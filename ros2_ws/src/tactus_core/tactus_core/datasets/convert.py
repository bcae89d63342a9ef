"""From recordings to a data set: what the command `convert` does, without the command line."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tactus_core.datasets.bag import Bag
from tactus_core.datasets.check import check_bag, check_data
from tactus_core.datasets.episode import Episode, is_lerobot
from tactus_core.datasets.findings import Finding
from tactus_core.datasets.lerobot import LeRobotData
from tactus_core.datasets.replay_buffer import ReplayBufferWriter
from tactus_core.datasets.rows import RULE, episodes
from tactus_core.datasets.spans import spans
from tactus_core.datasets.v3 import LeRobotWriter
from tactus_core.errors import DataError

FPS, TASK, ROBOT = 30, "task not named", "unknown"


class Writer(Protocol):
    """What every format offers."""

    def add(self, episode: Episode) -> None:
        """Append an episode."""
        ...

    def close(self) -> None:
        """Finish."""
        ...

    def discard(self) -> None:
        """Give up what was begun."""
        ...


_WRITERS: dict[str, Callable[[Path, str, dict[str, Any]], Writer]] = {"lerobot": LeRobotWriter, "zarr": ReplayBufferWriter}
FORMATS = tuple(_WRITERS)


@dataclass(frozen=True)
class Source:
    """One bag or LeRobot data set, opened. count: of episodes."""

    path: Path
    opened: Bag | LeRobotData
    count: int

    @classmethod
    def open(cls, path: Path) -> "Source":
        """Open a folder or file, whatever it is; raises DataError where it is neither."""
        if is_lerobot(path):
            data = LeRobotData(path)
            return cls(path, data, len(data.entries))
        if not path.exists():
            raise DataError(f"there is no {path}. Check the spelling of the path.")
        bag = Bag(path)
        return cls(path, bag, len(spans(bag)))

    def episodes(self, fps: int | None, task: str | None) -> Iterator[Episode]:
        """Yield its episodes. fps, task: of bags; a data set has its own, and None is the default of a bag."""
        if isinstance(self.opened, Bag):
            yield from episodes(self.opened, fps or FPS, task or TASK)
            return
        if fps not in (None, self.opened.fps) or task is not None:
            raise DataError(
                f"{self.path} is a data set at {self.opened.fps} Hz with tasks of its own; expected neither --rate-hz nor --task. "
                "Leave them out."
            )
        yield from self.opened.episodes()

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong with it."""
        yield from check_bag(self.opened) if isinstance(self.opened, Bag) else check_data(self.opened)

    @property
    def robot(self) -> str | None:
        """The robot that a data set names."""
        return None if isinstance(self.opened, Bag) else self.opened.info.get("robot_type")


def convert(
    sources: Sequence[Path], kind: str, folder: Path, fps: int | None, task: str | None, robot: str | None, opened: Callable[[Source], None]
) -> Iterator[Episode | Finding]:
    """Write the episodes of all sources into `folder`; yield each that is written, and what is wrong with its source.

    The folder is there once everything has been written: until then its name ends in `.part`, and an error removes it.
    opened: called with each source before its episodes.
    """
    if folder.exists():
        raise DataError(f"{folder} exists already, and a data set is never overwritten. Choose another folder.")
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    writer: Writer | None = None
    try:
        for path in sources:
            source = Source.open(path)
            opened(source)
            yield from source.findings()
            if writer is None:
                about = {"rule": RULE, "sources": [str(one) for one in sources], "written_by": "tactus convert"}
                writer = _WRITERS[kind](part, robot or source.robot or ROBOT, about)
            for episode in source.episodes(fps, task):
                writer.add(episode)
                yield episode
        if writer is not None:
            writer.close()
            part.rename(folder)
    except BaseException:
        if writer is not None:
            writer.discard()
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
