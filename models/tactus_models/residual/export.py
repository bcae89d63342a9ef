"""A base bundle and a trained actor → a bundle that runs both."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tactus_core.policy.bundle import Bundle, Normaliser, find_bundle
from tactus_core.policy.card import Card
from tactus_core.policy.specs import ResidualSpec
from tactus_models.export import commit, write_bundle
from tactus_models.residual.networks import Actor


def export_residual(
    base: Path,
    name: str,
    actor: Actor,
    normaliser: Normaliser,
    spec: ResidualSpec,
    folder: Path,
    training: Mapping[str, Any],
    version: str = "",
) -> Card:
    """Write the bundle: the base's graphs as they are, and the actor's; raises BundleError where ONNX Runtime and torch differ.

    version: default: the base's.
    """
    files, bundle = find_bundle(base), Bundle.load(base)
    card = bundle.card
    draft = replace(
        card,
        name=name,
        version=version or card.version,
        residual=spec,
        training={"commit": commit(), "residual": dict(training), "base": {"bundle": card.id, **card.training}},
    )
    networks = {name: files / graph.file for name, graph in card.graphs.items()}
    normalisers = {**bundle.normalisers, "residual": normaliser}
    return write_bundle(draft, card.feature_size, {**networks, "residual": actor}, normalisers, folder)
