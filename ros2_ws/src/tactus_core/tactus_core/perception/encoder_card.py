"""An encoder's card: what a folder that turns raw sight or touch into features promises and needs, as its `card.yaml` says (format 1).

    image    rgb image → graph → features                          streams: image or touch_image
    cloud    depth image → points in a box (`cloud`) → graph       streams: depth
    markers  dots on a gel → displacements → principal components  streams: touch_image
    hand     nearest point of a cloud per link of the hand         streams: cloud, joint_states

A policy's own encoder is a graph of its bundle (`tactus_core.policy`); these stand alone. Unknown keys fail; nothing has a silent default.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from tactus_core.config import from_mapping, load_yaml, param
from tactus_core.errors import BundleError, ConfigError
from tactus_core.policy.card import file_sha256

FORMAT = 1
CARD, GRAPH, MEAN, MATRIX = "card.yaml", "encoder.onnx", "pca_mean_matrix.npy", "pca_transform_matrix.npy"


class EncoderKind(StrEnum):
    """What goes in; see the module's docstring."""

    IMAGE = "image"
    CLOUD = "cloud"
    MARKERS = "markers"
    HAND = "hand"


# By kind: which streams it may need (one of these sets), and its files beside the card.
STREAMS: dict[EncoderKind, tuple[frozenset[str], ...]] = {
    EncoderKind.IMAGE: (frozenset({"image"}), frozenset({"touch_image"})),
    EncoderKind.CLOUD: (frozenset({"depth"}),),
    EncoderKind.MARKERS: (frozenset({"touch_image"}),),
    EncoderKind.HAND: (frozenset({"cloud", "joint_states"}),),
}
FILES: dict[EncoderKind, frozenset[str]] = {
    EncoderKind.IMAGE: frozenset({GRAPH}),
    EncoderKind.CLOUD: frozenset({GRAPH}),
    EncoderKind.MARKERS: frozenset({MEAN, MATRIX}),
    EncoderKind.HAND: frozenset(),
}


@dataclass(frozen=True)
class EncoderCard:
    """An encoder's contract. max_age_s: oldest sample that may be encoded, by stream. files: sha256 by name.

    settings: differences from the defaults of the kind's own configuration. training: provenance, free form.
    """

    name: str
    version: str
    kind: str = param(doc="What goes in.", choices=tuple(EncoderKind))
    licence: str = param(doc="Of the weights.")
    features: int = param(doc="Length of the features.", low=1, high=65_536)
    max_age_s: Mapping[str, float] = param(doc="Oldest sample, by stream.")
    files: Mapping[str, str] = param(doc="sha256 by file.")
    settings: Mapping[str, Any] = param(doc="Of the kind.")
    training: Mapping[str, Any] = param(doc="Provenance.")

    @property
    def id(self) -> str:
        """Name and version, as features carry it."""
        return f"{self.name}@{self.version}"

    def part(self, cls: type[Any], source: str) -> Any:
        """Return the kind's configuration; raises BundleError. `source` names the card."""
        try:
            return from_mapping(cls, self.settings, f"{source}: settings")
        except ConfigError as error:
            raise BundleError(str(error)) from None


def load_encoder_card(folder: Path) -> EncoderCard:
    """Read the card of an encoder's folder and check it against the files beside it; raises BundleError."""
    source = folder / CARD
    try:
        values = load_yaml(source)
        if values.pop("format", None) != FORMAT:
            raise BundleError(f"{source}: expected `format: {FORMAT}`. Export the encoder with this version of Tactus.")
        card = from_mapping(EncoderCard, values, str(source))
    except ConfigError as error:
        raise BundleError(f"{error} An encoder's folder is made by ./tactus export.") from None
    _check(card, source)
    for name, sha256 in card.files.items():
        if not (folder / name).is_file():
            raise BundleError(f"{folder / name}: missing, though the card lists it. Export the encoder again.")
        if (got := file_sha256(folder / name)) != sha256:
            raise BundleError(f"{folder / name}: sha256 is {got}, the card says {sha256}. It was altered or cut short; export it again.")
    return card


def write_encoder_card(folder: Path, **values: Any) -> EncoderCard:
    """Write the card of a folder whose files are there already, and read it back; raises BundleError. `values`: its fields but `files`."""
    kind = EncoderKind(values.pop("kind"))
    card = EncoderCard(kind=str(kind), files={name: file_sha256(folder / name) for name in sorted(FILES[kind])}, **values)
    values = {"format": FORMAT} | asdict(card)
    # YAML's own types: lists, not tuples.
    values["settings"] = {name: list(value) if isinstance(value, tuple) else value for name, value in card.settings.items()}
    (folder / CARD).write_text(yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
    return load_encoder_card(folder)


def _check(card: EncoderCard, source: Path) -> None:
    kind = EncoderKind(card.kind)
    for name, got in (("max_age_s", card.max_age_s), ("files", card.files), ("settings", card.settings), ("training", card.training)):
        if not isinstance(got, Mapping):
            raise BundleError(f"{source}: '{name}' must be a mapping, got {got!r}. Export the encoder again.")
    if set(card.max_age_s) not in STREAMS[kind]:
        wanted = " or ".join(", ".join(sorted(streams)) for streams in STREAMS[kind])
        raise BundleError(f"{source}: max_age_s is given for {sorted(card.max_age_s)}; kind '{kind}' needs {wanted}: each a maximum age.")
    for stream, age_s in card.max_age_s.items():
        if not (isinstance(age_s, float | int) and 0.0 < age_s <= 3600.0):
            raise BundleError(f"{source}: max_age_s of '{stream}' is {age_s!r}, expected seconds above 0 and at most 3600.")
    if set(card.files) != FILES[kind]:
        raise BundleError(f"{source}: files are {sorted(card.files)}, kind '{kind}' has {sorted(FILES[kind])}. Export the encoder again.")
