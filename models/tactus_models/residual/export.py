"""A base bundle and a trained actor → a bundle that runs both."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tactus_core.policy.bundle import Bundle, Normaliser, find_bundle
from tactus_core.policy.card import Card, FileSpec, GraphSpec, dump_card, file_sha256, load_card, standard_graphs
from tactus_core.policy.residual_spec import ResidualSpec
from tactus_models import normalise
from tactus_models.export import check_parity, commit, export_graph
from tactus_models.residual.networks import Actor


def export_residual(
    base: Path, actor: Actor, normaliser: Normaliser, spec: ResidualSpec, folder: Path, training: Mapping[str, Any]
) -> Card:
    """Write the bundle: the base's files as they are, and `residual.onnx`; raises BundleError where ONNX Runtime and torch differ."""
    base, card = find_bundle(base), load_card(find_bundle(base) / "card.yaml")
    folder.mkdir(parents=True, exist_ok=True)
    for graph in card.graphs.values():
        shutil.copyfile(base / graph.file, folder / graph.file)
    inputs, outputs = standard_graphs(card.kind, card.feature_size, card.sample_shape, residual=True)["residual"]
    path = folder / "residual.onnx"
    export_graph(actor, path, inputs, outputs)
    normalise.save({**Bundle.load(base).normalisers, "residual": normaliser}, folder / "normaliser.json")
    card = replace(
        card,
        name=folder.name,
        graphs={**card.graphs, "residual": GraphSpec(path.name, file_sha256(path), inputs, outputs)},
        normaliser=FileSpec("normaliser.json", file_sha256(folder / "normaliser.json")),
        residual=spec,
        training={"commit": commit(), "residual": dict(training), "base": {"bundle": card.id, **card.training}},
    )
    dump_card(card, folder / "card.yaml")
    check_parity(Bundle.load(folder), {"residual": actor})
    return card
