"""A trained policy → a bundle: ONNX graphs, normalisers and card, checked against the networks they came from."""

import shutil
import subprocess
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tactus_core.errors import BundleError
from tactus_core.policy.bundle import Bundle, Normaliser, example_observation, save_normalisers
from tactus_core.policy.card import Card, dump_card, file_sha256
from tactus_core.policy.graphs import standard_graphs
from tactus_core.policy.specs import (
    ChunkSpec,
    DiffusionSpec,
    DirectSpec,
    EncoderSpec,
    FileSpec,
    FlowSpec,
    GraphSpec,
    GroupSpec,
    LatentSpec,
    StreamSpec,
    TensorSpec,
    encoder_stream,
)
from tactus_core.types import ChunkKind
from tactus_models import layout
from tactus_models.config import TrainConfig

OPSET = 17
TOLERANCE = 1e-4
# As long a window as a chunk can ask for: rounding errors of the recurrence add up along it.
PARITY_ROWS = 60


@dataclass(frozen=True)
class Trained:
    """What there is to export. graphs: module by name; features: length of the image features; training: provenance.

    encoders: those that stand alone and are observed, by name, in the place of images.
    """

    name: str
    kind: ChunkKind
    graphs: Mapping[str, nn.Module]
    normalisers: Mapping[str, Normaliser]
    features: int
    sample_shape: tuple[int, int]
    generator: DiffusionSpec | FlowSpec | DirectSpec
    training: Mapping[str, Any]
    encoders: Mapping[str, EncoderSpec] = field(default_factory=dict)


def export_bundle(trained: Trained, folder: Path, config: TrainConfig) -> Card:
    """Write the bundle, load it as a robot would, and compare; raises BundleError where ONNX Runtime and torch differ by more than 1e-4."""
    return write_bundle(_card(trained, config), trained.features, trained.graphs, trained.normalisers, folder)


def write_bundle(
    draft: Card, features: int, networks: Mapping[str, nn.Module | Path], normalisers: Mapping[str, Normaliser], folder: Path
) -> Card:
    """Write the bundle of a card without its files, whose encoder gives `features` numbers; see `export_bundle`.

    networks: by the name of the graph; a file is of another bundle, and taken as it is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    graphs = {}
    for name, (inputs, outputs) in standard_graphs(draft, features).items():
        path = folder / f"{name}.onnx"
        network = networks[name]
        if isinstance(network, Path):
            shutil.copyfile(network, path)
        else:
            export_graph(network, path, inputs, outputs)
        graphs[name] = GraphSpec(path.name, file_sha256(path), inputs, outputs)
    save_normalisers(normalisers, folder / "normaliser.json")
    card = replace(draft, graphs=graphs, normaliser=FileSpec("normaliser.json", file_sha256(folder / "normaliser.json")))
    dump_card(card, folder / "card.yaml")
    check_parity(Bundle.load(folder), {name: network for name, network in networks.items() if isinstance(network, nn.Module)})
    return card


def check_parity(bundle: Bundle, graphs: Mapping[str, nn.Module]) -> dict[str, float]:
    """Return the largest difference between each module and its ONNX graph on random input; raises BundleError above 1e-4."""
    differences = {}
    examples = example_observation(bundle.card, PARITY_ROWS)
    for name, module in graphs.items():
        got = bundle.run(name, **examples[name])
        differences[name] = require_parity(got, module, examples[name], f"bundle '{bundle.card.id}': graph '{name}'")
    return differences


def require_parity(got: NDArray[Any], module: nn.Module, inputs: Mapping[str, NDArray[Any]], source: str) -> float:
    """Return the largest difference of what a graph made of `inputs` from what its network does; raises BundleError above 1e-4."""
    with torch.no_grad():
        expected = module(*(torch.from_numpy(values) for values in inputs.values())).numpy()
    difference = float(np.abs(got - expected).max())
    # `not (x <= y)`: NaN has to fail as well.
    if not difference <= TOLERANCE:
        raise BundleError(
            f"{source} differs from its network by {difference:.2e}, allowed is {TOLERANCE}. "
            "It is not usable; the versions of torch and onnxruntime may not fit each other: use those in requirements/train.txt."
        )
    return difference


def export_graph(module: nn.Module, path: Path, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> None:
    """Write a module as ONNX; −1 in a shape is a dimension that may vary."""
    torch.backends.mha.set_fastpath_enabled(False)  # its one operator for all of attention is none of ONNX
    # Traced with several rows, or a dynamic dimension could be taken for a constant one.
    example = tuple(_example(spec) for spec in inputs)
    dynamic = {spec.name: {axis: "rows" for axis, size in enumerate(spec.shape) if size == -1} for spec in inputs}
    with warnings.catch_warnings():
        # It warns that it is old, and that a batch of 1 is a constant, which the contract wants. Parity is checked on the written file.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            example,
            str(path),
            input_names=[spec.name for spec in inputs],
            output_names=[spec.name for spec in outputs],
            dynamic_axes={name: axes for name, axes in dynamic.items() if axes},
            opset_version=OPSET,
            dynamo=False,
        )


def _example(spec: TensorSpec) -> torch.Tensor:
    values: NDArray[Any] = np.zeros([5 if size == -1 else size for size in spec.shape], dtype=spec.dtype)
    return torch.from_numpy(values)


def _card(trained: Trained, config: TrainConfig) -> Card:
    """Return the card without its files, which are written by what it says."""
    touch, sight = StreamSpec(config.card.touch_max_age_s, "hold"), StreamSpec(config.card.image_max_age_s, "wait")
    encoders = trained.encoders
    steps, channels = trained.sample_shape
    return Card(
        name=trained.name,
        version=config.card.version,
        kind=trained.kind,
        task=config.card.task,
        robot=config.card.robot,
        joints=layout.JOINTS,
        licence="Apache-2.0",
        graphs={},
        normaliser=FileSpec("", ""),
        observation=replace(layout.OBSERVATION, cameras={}, encoders=encoders) if encoders else layout.OBSERVATION,
        action=layout.ACTION,
        groups={"arm": GroupSpec(config.data.arm_latency_s), "hand": GroupSpec(config.data.hand_latency_s)},
        chunk=ChunkSpec(dt_s=config.data.chunk_dt_s, steps=config.data.chunk_steps, past_steps=0),
        latent=LatentSpec(steps, channels, config.data.window_dt_s) if trained.kind is ChunkKind.LATENT else None,
        generator=trained.generator,
        streams={
            **(dict.fromkeys(map(encoder_stream, encoders), sight) if encoders else {"image": sight}),
            "joint_states": touch,
            "wrench": touch,
            "tactile": touch,
        },
        training={"commit": commit(), **trained.training},
        replan_s=config.card.replan_s if trained.kind is ChunkKind.LATENT else config.card.replan_action_s,
        validity_s=config.card.validity_s,
    )


def commit() -> str:
    """Return the commit that this runs from, or `unknown`."""
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"
