"""The learner's process: takes episodes in the order in which they were lived, logs, keeps a checkpoint, and publishes bundle versions."""

import json
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from tensorboardX import SummaryWriter

from tactus_core.learning.transitions import Experience, load
from tactus_core.learning.versions import Versions
from tactus_core.policy.card import load_card
from tactus_core.policy.exploring import explores
from tactus_models.learning.learner import Learner


class Following:
    """Follows an experience that grows. work: checkpoint (`learner.pt`), log (`learn.jsonl`), and `tensorboard`; a second goes on there.

    every: episodes between two versions, where there was something to learn. explore: versions try more than was learnt so far.
    episodes, corrections: taken so far.
    The checkpoint is that of the newest version: what came after it is taken again, since an interrupt may come amid an episode.
    """

    def __init__(
        self, learner: Learner, experience: Experience, versions: Versions, work: Path, name: str, every: int, explore: bool = False
    ) -> None:
        """Go on from the checkpoint. Publish version 0 where there is none: what is acted by before anything was learnt.

        Where the newest version explores and the next ones shall not, or the other way round, it is published once more, as asked for.

        name: of the base's version and the method, which a version's own number follows. Raises ConfigError for another's checkpoint.
        """
        self._learner, self._experience, self._versions = learner, experience, versions
        self._name, self._every, self._explore, self._path = name, every, explore, work / "learner.pt"
        self.episodes = self.corrections = self._published = 0
        self._began_s = time.monotonic()
        work.mkdir(parents=True, exist_ok=True)
        self._logged = work / "learn.jsonl"
        self._log, self._board = self._logged.open("a"), SummaryWriter(str(work / "tensorboard"))
        if self._path.is_file():
            state = torch.load(self._path, weights_only=True)
            learner.restore(state["learner"])
            self.episodes, self.corrections = state["counts"]
            self._published = self.episodes
        have = versions.paths()
        if not have or explores(load_card(have[-1] / "card.yaml")) != explore:
            self.publish()

    def step(self) -> dict[str, Any] | None:
        """Take the next episode; return what is logged of it, None where there is no other yet. Raises DataError for a bad file."""
        paths = self._experience.paths()
        if len(paths) <= self.episodes:
            return None
        episode = load(paths[self.episodes])
        learnt = self._learner.take(episode)
        self.episodes, self.corrections = self.episodes + 1, self.corrections + episode.interventions
        values = {
            "episode": self.episodes,
            "corrections": self.corrections,
            "interventions": episode.interventions,
            "corrected_share": round(float(episode.intervened.sum()) / max(len(episode), 1), 4),
            "decisions": len(episode),
            "success": episode.success,
            **{name: round(value, 6) for name, value in learnt.items()},
        }
        self._note(values)
        for name, value in values.items():
            if value is not None:
                self._board.add_scalar(name, float(value), self.episodes)
        if learnt and self.episodes - self._published >= self._every:
            self.publish()
        return values

    def publish(self) -> Path:
        """Write a version, and keep a checkpoint of what it came from."""
        self._published = self.episodes
        told = ".explore" if self._explore else ""
        folder = self._versions.publish(lambda at, number: self._learner.write(at, f"{self._name}.{number}{told}", self._explore))
        self._note({"version": folder.name, "episode": self.episodes, "corrections": self.corrections})
        state = {"learner": self._learner.state(), "counts": [self.episodes, self.corrections]}
        partial = self._path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self._path)
        return folder

    def versions(self) -> dict[str, dict[str, int]]:
        """Return by its folder's name how many episodes were lived, and corrections given, before each version, as the log has it."""
        rows = [json.loads(line) for line in self._logged.read_text().splitlines()]
        return {row["version"]: {"lived": row["episode"], "corrections": row["corrections"]} for row in rows if "version" in row}

    def _note(self, values: dict[str, Any]) -> None:
        self._log.write(json.dumps({**values, "spent_s": round(time.monotonic() - self._began_s, 1)}) + "\n")
        self._log.flush()

    def finish(self) -> None:
        """Publish what was learnt since the last version, if anything."""
        if self.episodes > self._published:
            self.publish()

    def __enter__(self) -> "Following":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._log.close()
        self._board.close()
