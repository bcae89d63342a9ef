"""Labelled episodes for a classifier of success, and how well one labels episodes."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tactus_cli.episodes import open_bundle
from tactus_cli.quiet import quiet
from tactus_cli.training import record_round
from tactus_core.learning.classifier import SuccessClassifier
from tactus_nodes.plugins import find_task

if TYPE_CHECKING:
    from tactus_models.labelled import Labelled

# Who acts in the episodes that are learnt from; the one often fails, and what failures look like is half of what is to be known.
ACTING = ("insert-base", "insert-residual")
EPISODES = 30  # by each
_FIRST_SEED = 60_000  # after those of demonstrations and corrections, before those for tuning


def labelled_files(folder: Path, bundles: Path, workers: int) -> list[Path]:
    """Return the labelled episodes in a folder; where none are, episodes of `ACTING` are filmed, each in a folder of its own.

    bundles: where these are looked for before the shipped ones.
    """
    if given := sorted(folder.glob("*.npz")):
        return given
    for number, name in enumerate(ACTING):
        first = _FIRST_SEED + 1000 * number
        film(folder, bundles / name if (bundles / name).is_dir() else name, range(first, first + EPISODES), workers)
    return sorted(folder.glob("*/*.npz"))


def film(folder: Path, bundle: str | Path, seeds: range, workers: int, shift: str = "") -> list[Path]:
    """Return the films of the episodes of `seeds`, in a folder of the policy's below `folder`; those that are missing are made."""
    at, card = open_bundle(str(bundle), None)
    folder /= f"{card.name}-{shift}" if shift else card.name
    with quiet():
        from tactus_sim.filmed import Filmed

    record_round(folder, seeds, workers, partial(Filmed, find_task(card.task, shift), str(at)), f"episodes of {card.name}")
    return [folder / f"{seed:06d}.npz" for seed in seeds]


def judged(files: Sequence[Path], classifier: SuccessClassifier) -> dict[str, Any]:
    """Return how well a classifier labels labelled episodes.

    episodes: a row each, with the seconds at which it said success, and at which there was one; None: never. Beside them how many of its
    words were right, missed, false, or early (of an episode that succeeded later), how late the right ones came, and its errors by image.
    """
    from rich.progress import track

    from tactus_models.labelled import errors, load_labelled

    rows, seen = [], []
    for path in track(files, description="judging episodes"):
        episode = load_labelled(path)
        probability = classifier.probabilities(episode.images, episode.states, episode.stamps_s)
        rows.append({"episode": path.stem, **_word(classifier, episode, probability)})
        known = episode.done >= 0
        seen.append((probability[known], episode.done[known] == 1))
    probability, done = (np.concatenate(column) for column in zip(*seen, strict=True))
    words = [row["word"] for row in rows]
    delays_s = [row["said_s"] - row["done_s"] for row in rows if row["word"] == "right" and row["said_s"] is not None]
    return {
        "classifier": classifier.card.id,
        "succeeded": sum(row["done_s"] is not None for row in rows),
        **{word: words.count(word) for word in ("right", "missed", "false", "early")},
        "delay_s": {"median": float(np.median(delays_s)), "max": max(delays_s)} if delays_s else None,
        "images": {"count": len(done), "done": int(done.sum()), **errors(probability, done, classifier.card.threshold)},
        "episodes": rows,
    }


def _word(classifier: SuccessClassifier, episode: "Labelled", probability: Any) -> Mapping[str, Any]:
    said_s = classifier.done_at(probability, episode.stamps_s)
    # What nobody knows comes after a success.
    done_s = float(episode.stamps_s[np.argmax(episode.done != 0)]) if episode.done.any() else None
    if said_s is None:
        word = "right" if done_s is None else "missed"
    else:
        word = "false" if done_s is None else "early" if said_s < done_s else "right"
    return {"word": word, "said_s": said_s, "done_s": done_s}
