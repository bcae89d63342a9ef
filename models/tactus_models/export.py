"""A trained policy → a bundle: ONNX graphs, normalisers and card, checked against the networks they came from."""

import subprocess
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tactus_core.errors import BundleError
from tactus_core.policy.bundle import Bundle, Normaliser, example_observation
from tactus_core.policy.card import (
    GROUPS,
    Card,
    ChunkSpec,
    DiffusionSpec,
    FileSpec,
    GraphSpec,
    GroupSpec,
    LatentSpec,
    StreamSpec,
    TensorSpec,
    dump_card,
    file_sha256,
    standard_graphs,
)
from tactus_core.policy.observation import LOOKBACK_S
from tactus_core.types import ChunkKind
from tactus_models import normalise
from tactus_models.config import TrainConfig

OPSET = 17
TOLERANCE = 1e-4
# As long a window as a chunk can ask for: rounding errors of the recurrence add up along it.
PARITY_ROWS = 60


@dataclass(frozen=True)
class Trained:
    """What there is to export. graphs: module by name; features: length of the image features; training: provenance."""

    name: str
    kind: ChunkKind
    graphs: Mapping[str, nn.Module]
    normalisers: Mapping[str, Normaliser]
    features: int
    sample_shape: tuple[int, int]
    diffusion: DiffusionSpec
    training: Mapping[str, Any]


def export_bundle(trained: Trained, folder: Path, config: TrainConfig) -> Card:
    """Write the bundle, load it as a robot would, and compare; raises BundleError where ONNX Runtime and torch differ by more than 1e-4."""
    folder.mkdir(parents=True, exist_ok=True)
    contract = standard_graphs(trained.kind, trained.features, trained.sample_shape)
    graphs = {}
    for name, (inputs, outputs) in contract.items():
        path = folder / f"{name}.onnx"
        export_graph(trained.graphs[name], path, inputs, outputs)
        graphs[name] = GraphSpec(path.name, file_sha256(path), inputs, outputs)
    normalise.save(trained.normalisers, folder / "normaliser.json")
    card = _card(trained, graphs, file_sha256(folder / "normaliser.json"), config)
    dump_card(card, folder / "card.yaml")
    check_parity(Bundle.load(folder), trained.graphs)
    return card


def check_parity(bundle: Bundle, graphs: Mapping[str, nn.Module]) -> dict[str, float]:
    """Return the largest difference between each module and its ONNX graph on random input; raises BundleError above 1e-4."""
    differences = {}
    examples = example_observation(bundle.card, PARITY_ROWS)
    for name, module in graphs.items():
        inputs = examples[name]
        got = bundle.run(name, **inputs)
        with torch.no_grad():
            expected = module(*(torch.from_numpy(values) for values in inputs.values())).numpy()
        differences[name] = float(np.abs(got - expected).max())
        # `not (x <= y)`: NaN has to fail as well.
        if not differences[name] <= TOLERANCE:
            raise BundleError(
                f"bundle '{bundle.card.id}': graph '{name}' differs from its network by {differences[name]:.2e}, allowed is {TOLERANCE}. "
                "It is not usable; the versions of torch and onnxruntime may not fit each other: use those in requirements/train.txt."
            )
    return differences


def export_graph(module: nn.Module, path: Path, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> None:
    """Write `module` as an ONNX graph with these inputs and outputs."""
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


def _card(trained: Trained, graphs: Mapping[str, GraphSpec], normaliser_sha256: str, config: TrainConfig) -> Card:
    touch = StreamSpec(config.card.touch_max_age_s, "hold")
    steps, channels = trained.sample_shape
    return Card(
        name=trained.name,
        version=config.card.version,
        kind=trained.kind,
        task=config.card.task,
        robot=config.card.robot,
        licence="Apache-2.0",
        graphs=graphs,
        normaliser=FileSpec("normaliser.json", normaliser_sha256),
        chunk=ChunkSpec(dt_s=config.data.chunk_dt_s, steps=config.data.chunk_steps),
        latent=LatentSpec(steps, channels) if trained.kind is ChunkKind.LATENT else None,
        diffusion=trained.diffusion,
        groups={
            "arm": GroupSpec(GROUPS["arm"], config.data.arm_latency_s),
            "hand": GroupSpec(GROUPS["hand"], config.data.hand_latency_s),
        },
        streams={
            "image": StreamSpec(config.card.image_max_age_s, "wait"),
            "joint_states": touch,
            "wrench": touch,
            "tactile": touch,
        },
        training={"commit": commit(), **trained.training},
        window_dt_s=config.data.window_dt_s,
        replan_s=config.card.replan_s if trained.kind is ChunkKind.LATENT else config.card.replan_action_s,
        validity_s=config.card.validity_s,
        lookback_s=LOOKBACK_S[-1],
    )


def commit() -> str:
    """Return the commit that this runs from, or `unknown`."""
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"
