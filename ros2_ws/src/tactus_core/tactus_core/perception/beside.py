"""Encoders that a policy observes, run beside it where there are no nodes: of the images of one camera alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tactus_core.errors import BundleError, ConfigError
from tactus_core.perception.encoder_card import CARD, EncoderCard, EncoderKind, load_encoder_card
from tactus_core.perception.encoders import ImageEncoder
from tactus_core.policy.card import Card, file_sha256


def image_encoder(folder: Path) -> tuple[EncoderCard, ImageEncoder]:
    """Return the card of an encoder's folder, and what encodes a camera's images.

    Raises BundleError for a folder that is none, ConfigError for an encoder of something else.
    """
    card = load_encoder_card(folder)
    if card.kind != EncoderKind.IMAGE or set(card.max_age_s) != {"image"}:
        raise ConfigError(
            f"{folder}: encoder '{card.id}' is of kind '{card.kind}' and needs {', '.join(sorted(card.max_age_s))}; here are a camera's "
            "images alone. Export one of those (./tactus export backbone), or run it as a node, in the graph."
        )
    return card, ImageEncoder(folder, card)


def observed_folders(card: Card, folders: Sequence[Path]) -> Mapping[str, Path]:
    """Return which of these folders has each encoder that a bundle observes, by name: told by the hash of its card.

    Raises BundleError where one is not among them, ConfigError for a folder whose encoder is not observed.
    """
    found = {file_sha256(folder / CARD): folder for folder in folders if (folder / CARD).is_file()}
    for name, spec in card.observation.encoders.items():
        if spec.sha256 not in found:
            given = ", ".join(f"{folder} ({sha256[:12]})" for sha256, folder in found.items()) or "no encoder"
            raise BundleError(
                f"bundle '{card.id}' observes encoder '{name}', whose card has the sha256 {spec.sha256[:12]}; given is {given}. Name the "
                "folder that it was trained with: ./tactus evaluate --encoder FOLDER, or encoder:=FOLDER of a launch file."
            )
    observed = {name: found[spec.sha256] for name, spec in card.observation.encoders.items()}
    if unused := [str(folder) for folder in folders if folder not in observed.values()]:
        raise ConfigError(f"bundle '{card.id}' does not observe the encoder in {', '.join(unused)}. Leave it out.")
    return observed


def encoders_beside(card: Card, folders: Sequence[Path]) -> Mapping[str, ImageEncoder]:
    """Return the encoders that a bundle observes, by name; raises as `observed_folders` and `image_encoder` do."""
    return {name: image_encoder(folder)[1] for name, folder in observed_folders(card, folders).items()}
