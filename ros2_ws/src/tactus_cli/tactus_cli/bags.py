"""Bags of a robot's graph → the experience that a learner follows, each episode once."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tactus_core.datasets.bag import Bag
from tactus_core.datasets.episode import is_lerobot
from tactus_core.datasets.findings import Finding, Place
from tactus_core.errors import BundleError, ConfigError, DataError
from tactus_core.learning import shown
from tactus_core.learning.bags import Lived, lived
from tactus_core.learning.classifier import SuccessClassifier
from tactus_core.learning.judged import Actor
from tactus_core.learning.transitions import Experience, load, save
from tactus_core.learning.versions import Versions
from tactus_core.policy.bundle import Bundle, find_bundle
from tactus_core.policy.card import Card, file_sha256
from tactus_nodes.plugins import find_robot, find_task

_BEFORE_NS = 5_000_000_000  # of what is read before an episode that may be new: states that it looks back at


class Actors:
    """Who may have acted, by the hash of a card. bundles: names or folders of bundles, or folders of versions, which may grow.

    dt_s: see `Actor`.
    """

    def __init__(self, bundles: Sequence[str], dt_s: float) -> None:
        """Raise BundleError for what is neither a bundle nor a folder."""
        self._bundles, self._dt_s = bundles, dt_s
        self._known: dict[str, Actor] = {}
        for name in bundles:
            if not Path(name).is_dir():
                find_bundle(name)

    def find(self, bundle_hash: str) -> Actor | None:
        """Return who has the card with this hash."""
        if bundle_hash not in self._known:
            folder = next((each for each in self._folders() if file_sha256(each / "card.yaml") == bundle_hash), None)
            if folder is None:
                return None
            bundle = Bundle.load(folder, graphs=("fast_head", "residual"))
            self._known[bundle_hash] = Actor(bundle, find_robot(bundle.card.robot), self._dt_s, _duration_s(bundle.card))
        return self._known[bundle_hash]

    def _folders(self) -> Iterator[Path]:
        for name in self._bundles:
            with contextlib.suppress(BundleError):
                yield find_bundle(name)
            yield from Versions(Path(name)).paths()


def _duration_s(card: Card) -> float:
    """Return after which time an episode of the card's task ends by itself; a task that is not simulated has none."""
    try:
        return find_task(card.task).duration_s
    except ConfigError:
        return np.inf


@dataclass
class Agreement:
    """What a classifier of success said, beside whoever else did. labelled: episodes that had no label.

    alike: as the label says; too_good: success where the label is failure; too_bad: the other way round.
    """

    labelled: int = 0
    alike: int = 0
    too_good: int = 0
    too_bad: int = 0

    def add(self, one: Lived) -> None:
        """Count an episode."""
        if one.judgement is None:
            return
        if one.label is None:
            self.labelled += 1
        elif one.label == one.judgement.success:
            self.alike += 1
        elif one.label:
            self.too_bad += 1
        else:
            self.too_good += 1

    def __str__(self) -> str:
        both = self.alike + self.too_good + self.too_bad
        return (
            f"the classifier labelled {self.labelled} episodes; of {both} with a label, which stands, it says the same of {self.alike}, "
            f"success of {self.too_good} failures, failure of {self.too_bad} successes"
        )


class Collecting:
    """Adds the episodes of bags to an experience. Bags may overlap, as those of a ring do: an episode that is there is left alone.

    classifier: labels what nobody labelled. agreement: what it said so far.
    """

    def __init__(self, experience: Experience, actors: Actors, classifier: SuccessClassifier | None = None) -> None:
        self._experience, self._actors, self._classifier = experience, actors, classifier
        self.agreement = Agreement()
        self._spans_s = [_span_s(path) for path in experience.paths()]
        self._read: set[Path] = set()
        self._reach_ns: list[tuple[int, int]] = []

    def take(self, source: Path) -> Iterator[Lived | Finding]:
        """Add a bag's episodes, and yield each that is new, or why one is left out; raises DataError for what is no whole bag."""
        if is_lerobot(source):
            raise ConfigError(f"{source} is a data set, which lacks what the policies planned. Give the bags that it was made of.")
        bag = Bag(source, self._since_ns)
        self._reach_ns.append(bag.reach_ns)
        for one in lived(bag, self._actors.find, self._classifier, self._has):
            if isinstance(one, Lived):
                self._add(one)
                self.agreement.add(one)
                begins_s, ends_s = one.transitions.stamp_s[[0, -1]].tolist()
                self._spans_s.append((begins_s, ends_s))
            yield one

    def _since_ns(self, first_ns: int, last_ns: int) -> int:
        """Return from when on a bag is worth reading: what a bag before it reached, too, is known up to the last episode there."""
        until_ns = max((there_ns for here_ns, there_ns in self._reach_ns if here_ns <= first_ns), default=first_ns)
        known_ns = [round(until_s * 1e9) for _, until_s in self._spans_s if until_s * 1e9 <= min(until_ns, last_ns)]
        return max([first_ns, *(end_ns - _BEFORE_NS for end_ns in known_ns)])

    def _has(self, begins_s: float, ends_s: float) -> bool:
        return any(begins_s <= until_s and ends_s >= from_s for from_s, until_s in self._spans_s)

    def news(self, folder: Path) -> Iterator[Finding]:
        """Take the bags somewhere in a folder that were closed since the last call, oldest first; yield what is left out, and why."""
        # One that is being written has no metadata.yaml yet.
        closed = sorted(folder.rglob("metadata.yaml"), key=lambda path: path.stat().st_mtime)
        for bag in (path.parent for path in closed if path.parent not in self._read):
            self._read.add(bag)
            try:
                yield from (one for one in self.take(bag) if isinstance(one, Finding))
            except DataError as error:
                yield Place(str(bag), "bag").finding("file", np.nan, str(error))

    def _add(self, one: Lived) -> None:
        have = self._experience.paths()
        number = int(have[-1].stem) + 1 if have else 0
        if one.seen is not None:
            # No number that a simulated world has: whole episodes are held out by it, beside demonstrations.
            shown.write(self._experience.seen(number), {**one.seen, "seed": np.array(-1 - number)})
        save(replace(one.transitions, episode=number), self._experience.path(number))


def _span_s(path: Path) -> tuple[float, float]:
    stamps_s = load(path).stamp_s
    return (float(stamps_s[0]), float(stamps_s[-1])) if len(stamps_s) else (np.inf, -np.inf)
