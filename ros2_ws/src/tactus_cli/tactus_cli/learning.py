"""A learner and the folders that it works with, for the commands that run one."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tactus_cli.episodes import open_bundle
from tactus_core.learning.transitions import Experience
from tactus_core.learning.versions import Versions
from tactus_nodes.plugins import find_task

if TYPE_CHECKING:
    from tactus_models.config import LearnConfig
    from tactus_models.learning.follow import Following

METHODS = ("dagger", "hil", "rlif", "wsrl")  # as `tactus_models.learning` has them, which needs torch to say so


@dataclass(frozen=True)
class Desk:
    """What a learner learns, from what, and where to. every: episodes between two versions. data: None: runs/data/TASK.

    work: of the learner's checkpoint and log. kept: of demonstrations that are labelled once. explore: versions try more than was learnt.
    """

    bundle: str
    method: str
    seed: int
    every: int
    data: Path | None
    experience: Experience
    versions: Versions
    work: Path
    kept: Path
    explore: bool = False


def learn_config(file: Path | None, task: str) -> "LearnConfig":
    """Return how to learn a task: its defaults, with a YAML file's differences."""
    from tactus_models.config import LEARNING, LearnConfig, read_config

    return read_config(file, LEARNING.get(task, LearnConfig()))


@contextlib.contextmanager
def learner_at(desk: Desk, config: "LearnConfig") -> "Iterator[Following]":
    """Give the learner at a desk, from where it stopped."""
    from tactus_models.learning.follow import Following
    from tactus_models.learning.make import make_learner

    folder, card = open_bundle(desk.bundle, None)
    data = desk.data or Path("runs/data") / card.task
    learner = make_learner(desk.method, folder, find_task(card.task).robot, data, desk.experience, desk.kept, config, desk.seed)
    name = f"{card.version}+{desk.method}"
    with Following(learner, desk.experience, desk.versions, desk.work, name, desk.every, desk.explore) as following:
        yield following
