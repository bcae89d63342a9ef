"""A classifier of success: says of one image, and of what is measured beside it, how likely it is that the task is done right now.

Its folder is found as bundles are, and has two files: `card.yaml` (format `success-1`) and the graph that the card names. Unknown keys
fail; nothing has a silent default. It rewards learning (`learning/bags.py`); it moves and stops nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from tactus_core.config import load_yaml, param
from tactus_core.engines.making import reference
from tactus_core.errors import BundleError, ConfigError, DataError
from tactus_core.history import STAMP_EPSILON_S, StateArrays
from tactus_core.policy import parsing
from tactus_core.policy.bundle import find_bundle, verify_hash
from tactus_core.policy.card import file_sha256
from tactus_core.policy.observation import low_dim
from tactus_core.policy.signals import JointsSpec, ObservedSpec, observed_size
from tactus_core.policy.specs import FileSpec, GraphSpec, TensorSpec
from tactus_core.types import Array

FORMAT = "success-1"
CARD, GRAPH = "card.yaml", "classifier.onnx"


@dataclass(frozen=True)
class ClassifierCard:
    """What a classifier was trained for. camera: whose image (H, W, 3) rgb uint8 it sees, of the size `image`; low_dim: what beside it.

    graph: normalises by itself. measured: its own errors, on episodes that it was not trained on. training: provenance, free form.
    """

    name: str
    version: str
    task: str
    robot: str
    joints: JointsSpec
    licence: str
    camera: str
    low_dim: tuple[ObservedSpec, ...]
    graph: FileSpec
    measured: Mapping[str, Any]
    training: Mapping[str, Any]
    image: tuple[int, int, int] = param(doc="Height, width, 3.", low=1, high=8192)
    threshold: float = param(doc="From this probability on an image shows success.", low=0.0, high=1.0)
    frames: int = param(doc="So many images in a row have to show it.", low=1, high=1000)
    gap_s: float = param(doc="Images further apart than this are not in a row.", low=0.001, high=10.0)

    @property
    def id(self) -> str:
        """Name and version."""
        return f"{self.name}@{self.version}"

    @property
    def low_dim_size(self) -> int:
        """L, the length of what is observed beside the image."""
        return observed_size(self.low_dim, self.joints)

    @property
    def lookback_s(self) -> float:
        """History of states that an observation needs."""
        return -min((at_s for of in self.low_dim for at_s in of.at_s), default=0.0)

    @property
    def tensors(self) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
        """What goes into the graph, and what comes out."""
        seen = TensorSpec("image", (1, *self.image), "uint8", "rgb, 0..255")
        felt = TensorSpec("low_dim", (1, self.low_dim_size), "float32", "un-normalised")
        return (seen, felt), (TensorSpec("logit", (1, 1), "float32", "of success"),)


def load_classifier_card(path: Path) -> ClassifierCard:
    """Read and check a classifier's `card.yaml`; raises BundleError, which names the key that is wrong."""
    try:
        values = load_yaml(path)
        if (got := values.pop("format", None)) != FORMAT:
            raise BundleError(
                f"{path}: got `format: {got}`, expected `format: {FORMAT}`: it is no classifier of success, or another version's. Choose a "
                "classifier, or train one: ./tactus train --stage success."
            )
        card: ClassifierCard = parsing.built(ClassifierCard, values, path)
    except ConfigError as error:
        raise BundleError(str(error)) from None
    if card.image[2] != 3 or not card.low_dim:
        raise BundleError(
            f"{path}: image is {card.image} and low_dim has {len(card.low_dim)} signals; expected (height, width, 3), and at least one. "
            "Train it again."
        )
    return card


def is_classifier(folder: Path) -> bool:
    """Return whether the card in a folder says that it is a classifier of success; raises ConfigError where there is no card."""
    return load_yaml(folder / CARD).get("format") == FORMAT


def dump_classifier_card(card: ClassifierCard, path: Path) -> None:
    """Write a card so that `load_classifier_card` gives it back."""
    path.write_text(yaml.safe_dump(parsing.plain({"format": FORMAT} | asdict(card)), sort_keys=False, allow_unicode=True))


class SuccessClassifier:
    """A verified classifier, ready to run on ONNX Runtime on the CPU."""

    def __init__(self, folder: Path) -> None:
        """Load a folder; raises BundleError for a card, a file, a signature or weights that are not as they should be."""
        self.card = card = load_classifier_card(folder / CARD)
        self.sha256 = file_sha256(folder / CARD)
        path = folder / card.graph.file
        verify_hash(path, card.graph.sha256)
        self._engine = reference(path, GraphSpec(card.graph.file, card.graph.sha256, *card.tensors), threads=1)
        try:
            self.probability(np.zeros(card.image, np.uint8), np.zeros(card.low_dim_size))
        except DataError as error:
            raise BundleError(f"{path}: of a black image {error}") from None

    @staticmethod
    def load(path_or_name: str | Path) -> "SuccessClassifier":
        """Load a classifier from a folder, or by name from the bundles folder; raises BundleError."""
        return SuccessClassifier(find_bundle(path_or_name))

    def probability(self, image: NDArray[np.uint8], observed: Array) -> float:
        """Return the probability that the task is done; see `logit`."""
        return float(1.0 / (1.0 + np.exp(-np.clip(self.logit(image, observed), -60.0, 60.0))))

    def logit(self, image: NDArray[np.uint8], observed: Array) -> float:
        """Return the logit of success, of an rgb image (H, W, 3) and what is observed beside it (L,), un-normalised.

        Raises DataError for another shape or dtype, and where anything is not finite: what is not known is no failure.
        """
        card = self.card
        if image.shape != card.image or image.dtype != np.uint8 or np.shape(observed) != (card.low_dim_size,):
            raise DataError(
                f"image is {image.dtype} {image.shape}, beside it {np.shape(observed)} numbers; '{card.id}' expects uint8 {card.image} of "
                f"camera '{card.camera}', rgb, and ({card.low_dim_size},). Set the camera to that size, or train a classifier for this one."
            )
        if not np.isfinite(observed).all():
            raise DataError(f"not all that '{card.id}' observes is known: {observed}. Does this robot measure {_names(card)}?")
        logit = float(self._engine.run(image=image[None], low_dim=np.asarray(observed, dtype=np.float32)[None])[0, 0])
        if not np.isfinite(logit):
            raise DataError(f"'{card.id}' says {logit}, expected a finite logit. It is not used; train it again.")
        return logit

    def probabilities(self, images: Iterable[NDArray[np.uint8]], states: StateArrays, stamps_s: Array) -> Array:
        """Return the probability (n,) of each image, of `stamps_s` (n,); raises DataError as `probability`, StaleError as `low_dim`."""
        observed = (low_dim(states, float(stamp_s), self.card.low_dim) for stamp_s in stamps_s)
        return np.array([self.probability(image, beside) for image, beside in zip(images, observed, strict=True)])

    def done_at(self, probabilities: Array, stamps_s: Array) -> float | None:
        """Return the stamp at which enough images in a row have shown success for the first time, None where they never do.

        probabilities, stamps_s: (n,) of one camera's images, oldest first.
        """
        run, last_s = 0, -np.inf
        for probability, stamp_s in zip(probabilities, stamps_s, strict=True):
            in_row = stamp_s - last_s <= self.card.gap_s + STAMP_EPSILON_S
            run, last_s = (run * in_row + 1 if probability >= self.card.threshold else 0), stamp_s
            if run >= self.card.frames:
                return float(stamp_s)
        return None


def _names(card: ClassifierCard) -> str:
    return ", ".join(dict.fromkeys(of.signal for of in card.low_dim))
