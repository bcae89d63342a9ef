"""Other versions of a bundle: next to the same, and bad in each way that a swap has to find out."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import BundleError, SetupError
from tactus_core.policy.card import Card, dump_card, file_sha256, load_card

Weights = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def write_version(
    source: Path,
    folder: Path,
    version: str,
    weights: Weights | None = None,
    normaliser: Callable[[dict[str, Any]], None] | None = None,
    card: Callable[[Card], Card] = lambda card: card,
) -> Path:
    """Write the bundle in `source` to `folder` as another version, whose hashes are right; returns the folder.

    weights: what becomes of each float32 constant of its graphs. normaliser: alters what its file says. card: alters the card.
    Raises SetupError where `weights` is given and the package onnx is missing, BundleError where the bundle is a server's.
    """
    shutil.copytree(source, folder)
    old = load_card(folder / "card.yaml")
    if old.normaliser is None:
        raise BundleError(f"'{old.id}' has no weights here: a server plans. Choose a bundle with graphs.")
    if normaliser is not None:
        path = folder / old.normaliser.file
        values = json.loads(path.read_text())
        normaliser(values)
        path.write_text(json.dumps(values))
    graphs = {}
    for name, graph in old.graphs.items():
        if weights is not None:
            _alter(folder / graph.file, weights)
        graphs[name] = replace(graph, sha256=file_sha256(folder / graph.file))
    files = replace(old.normaliser, sha256=file_sha256(folder / old.normaliser.file))
    changed = replace(old, version=version, graphs=graphs, normaliser=files, training={**old.training, "version_of": old.id})
    dump_card(card(changed), folder / "card.yaml")
    return folder


def _alter(path: Path, weights: Weights) -> None:
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError:
        raise SetupError("onnx is missing, which alters weights: pip install -r requirements/engines.txt.") from None
    model = onnx.load(path)
    for constant in model.graph.initializer:
        values = numpy_helper.to_array(constant)
        if values.dtype == np.float32:
            constant.CopyFrom(numpy_helper.from_array(weights(values).astype(np.float32), constant.name))
    onnx.save(model, path)


def finer(rng: np.random.Generator, share: float = 1e-4) -> Weights:
    """Return what alters each weight by about so large a share of itself."""
    return lambda values: values * (1.0 + share * rng.standard_normal(values.shape))


def lifted(values: dict[str, Any]) -> None:
    """Have what a normaliser says lift the tool off whatever it should touch, by 15 mm: its z axis points into it."""
    values["action"]["offset"][2] -= 0.015


def write_bad(source: Path, folder: Path) -> Mapping[str, Path]:
    """Write one bundle for each way of being no good, and return them by what is wrong."""
    rng = np.random.default_rng(0)
    made = {
        "NaN": write_version(source, folder / "nan", "bad-nan", weights=lambda values: values * np.nan),
        "too far": write_version(source, folder / "far", "bad-far", normaliser=lambda v: v["action"]["offset"].__setitem__(0, 0.1)),
        "another contract": write_version(source, folder / "card", "bad-card", card=lambda c: replace(c, replan_s=0.9 * c.replan_s)),
        "wrong shape": write_version(source, folder / "shape", "bad-shape", card=_narrower),
        "altered": write_version(source, folder / "altered", "bad-hash", weights=finer(rng)),
        "the same version": write_version(source, folder / "same", load_card(source / "card.yaml").version, weights=finer(rng)),
    }
    with (made["altered"] / "normaliser.json").open("a") as file:
        file.write(" ")
    return made


def _narrower(card: Card) -> Card:
    """Return a card that promises graphs with one feature less than its files have."""

    def cut(spec: Any) -> Any:
        size = {"features": card.feature_size - 1, "condition": card.feature_size + card.low_dim_size - 1}.get(spec.name)
        return spec if size is None else replace(spec, shape=(1, size))

    def narrow(specs: Any) -> Any:
        return tuple(map(cut, specs))

    return replace(card, graphs={n: replace(g, inputs=narrow(g.inputs), outputs=narrow(g.outputs)) for n, g in card.graphs.items()})
