"""Several policies as one (GPC; Cao et al. 2025, arXiv 2510.01068): at each denoising step the weighted sum of what they predict.

They share the noisy sample and the sampler, and each keeps its observation, its normaliser of that and its encoder. What comes out is a
bundle like any other: its encoder gives the features of all, its low-dimensional observation is all of theirs, its denoiser is all of
theirs and the sum. So it runs wherever bundles run, and what runs it need not know.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tactus_core.engines.merging import Merger, Source
from tactus_core.errors import BundleError, ConfigError
from tactus_core.policy.bundle import Bundle, Normaliser, save_normalisers
from tactus_core.policy.card import Card, dump_card, file_sha256
from tactus_core.policy.graphs import image_input, is_single, standard_graphs
from tactus_core.policy.specs import (
    CameraSpec,
    DiffusionSpec,
    FileSpec,
    FlowSpec,
    GraphSpec,
    ObservationSpec,
    StreamSpec,
    TensorSpec,
)

# Normalisers that have to agree: what one denoiser means by a number the other has to mean, too.
_SAME_WITHIN = 1e-6


@dataclass(frozen=True)
class Parent:
    """A bundle that is composed."""

    folder: Path
    bundle: Bundle

    @staticmethod
    def load(folder: Path) -> "Parent":
        """Load and verify a bundle; raises BundleError."""
        return Parent(folder, Bundle.load(folder))

    def graph(self, name: str) -> bytes:
        """Return an ONNX file of the bundle."""
        return (self.folder / self.bundle.card.graphs[name].file).read_bytes()


def compose(parents: Sequence[Parent], weights: Sequence[float], folder: Path) -> Card:
    """Write the composed bundle, named after its folder; the first parent says how it is sampled. weights: one each, which sum to one.

    Raises ConfigError for weights that cannot be, BundleError where the bundles do not fit together, SetupError without `onnx`.
    """
    if len(parents) < 2 or len(weights) != len(parents) or not all(0.0 <= w <= 1.0 for w in weights) or abs(sum(weights) - 1.0) > 1e-6:
        raise ConfigError(
            f"weights {list(weights)} for {len(parents)} bundles; expected one for each of two or more, from 0 to 1, that sum to 1."
        )
    for other in parents[1:]:
        _check_fit(parents[0], other)
    card = _draft(parents, weights, folder.name)
    features = sum(parent.bundle.card.feature_size for parent in parents)
    wanted = standard_graphs(card, features)
    made = {name: _graph(name, parents, weights, card, inputs, outputs[0]) for name, (inputs, outputs) in wanted.items()}
    folder.mkdir(parents=True, exist_ok=True)
    graphs = {}
    for name, (inputs, outputs) in wanted.items():
        path = folder / f"{name}.onnx"
        path.write_bytes(made[name])
        graphs[name] = GraphSpec(path.name, file_sha256(path), inputs, outputs)
    path = folder / "normaliser.json"
    save_normalisers(_normalisers(parents), path)
    card = replace(card, graphs=graphs, normaliser=FileSpec(path.name, file_sha256(path)))
    dump_card(card, folder / "card.yaml")
    return card


def _check_fit(first: Parent, other: Parent) -> None:
    """Raise BundleError where two bundles do not make the same kind of chunk, in the same units, by the same steps."""
    one, two = first.bundle.card, other.bundle.card
    for card in (one, two):
        if not isinstance(card.generator, DiffusionSpec | FlowSpec):
            raise BundleError(
                f"bundle '{card.id}' makes its chunks without denoising steps; only diffusion and flow matching are composed."
            )
        if card.observation.encoders:
            raise BundleError(
                f"bundle '{card.id}' observes encoders that stand alone, {', '.join(card.observation.encoders)}; such are not composed. "
                "Compose bundles that see by their own encoders."
            )
        if card.residual:
            raise BundleError(
                f"bundle '{card.id}' has a residual, learnt on what it alone proposes. Compose the bundles without, and train a "
                "residual on that."
            )
    for what in ("robot", "joints", "task", "kind", "action", "groups", "chunk", "latent"):
        _require_same(what, getattr(one, what), getattr(two, what), one, two)
    _require_same("generator", _trained(one.generator), _trained(two.generator), one, two)
    if one.latent:
        _require_same("fast_head", one.graphs["fast_head"].sha256, two.graphs["fast_head"].sha256, one, two)
    for name in set(first.bundle.normalisers) - {"low_dim"}:
        a, b = first.bundle.normalisers[name], other.bundle.normalisers[name]
        gap = max(_gap(a.offset, b.offset), _gap(a.scale, b.scale))
        if not gap <= _SAME_WITHIN:
            raise BundleError(
                f"bundles '{one.id}' and '{two.id}': their normalisers '{name}' differ by up to {gap:.2g}, allowed is {_SAME_WITHIN}: the "
                "same number means different motion. Train both on the same demonstrations with the same split."
            )
    for name in set(one.observation.cameras) & set(two.observation.cameras):
        _require_same(f"camera '{name}'", one.observation.cameras[name].shape, two.observation.cameras[name].shape, one, two)


def _trained(generator: Any) -> Any:
    """Return what of a generator training decided; sampler and steps are chosen anew."""
    return replace(generator, inference_steps=1, **({"sampler": "ddim"} if isinstance(generator, DiffusionSpec) else {}))


def _require_same(what: str, a: Any, b: Any, one: Card, two: Card) -> None:
    if a != b:
        raise BundleError(f"bundles '{one.id}' and '{two.id}' differ in {what}: {a} and {b}. Composed bundles make the same chunks.")


def _gap(a: Any, b: Any) -> float:
    return float(np.abs(a - b).max()) if a.shape == b.shape else float("inf")


def _draft(parents: Sequence[Parent], weights: Sequence[float], name: str) -> Card:
    """Return the card without its files."""
    cards = [parent.bundle.card for parent in parents]
    parts = [
        {"bundle": card.id, "card_sha256": file_sha256(parent.folder / "card.yaml"), "weight": float(weight), "training": card.training}
        for parent, card, weight in zip(parents, cards, weights, strict=True)
    ]
    return replace(
        cards[0],
        name=name,
        licence=", ".join(dict.fromkeys(card.licence for card in cards)),
        graphs={},
        normaliser=FileSpec("", ""),
        observation=ObservationSpec(_cameras(cards), tuple(of for card in cards for of in card.observation.low_dim)),
        streams=_streams(cards),
        training={"composed_of": parts},
        replan_s=min(card.replan_s for card in cards),
        validity_s=min(card.validity_s for card in cards),
    )


def _cameras(cards: Sequence[Card]) -> dict[str, CameraSpec]:
    """Return every camera of all, at all the times that any of them looks at it."""
    cameras: dict[str, CameraSpec] = {}
    for card in cards:
        for name, camera in card.observation.cameras.items():
            known = cameras.get(name, camera)
            cameras[name] = replace(camera, at_s=tuple(sorted({*known.at_s, *camera.at_s})))
    return cameras


def _streams(cards: Sequence[Card]) -> dict[str, StreamSpec]:
    """Return every stream of all, as young as the strictest wants it; raises BundleError where they react otherwise to an old one."""
    streams: dict[str, StreamSpec] = {}
    for card in cards:
        for name, stream in card.streams.items():
            known = streams.get(name, stream)
            _require_same(f"the reaction to an old {name}", known.reaction, stream.reaction, cards[0], card)
            streams[name] = StreamSpec(min(known.max_age_s, stream.max_age_s), stream.reaction)
    return streams


def _graph(
    name: str, parents: Sequence[Parent], weights: Sequence[float], card: Card, inputs: tuple[TensorSpec, ...], output: TensorSpec
) -> bytes:
    if name == "encoder":
        return _encoder(parents, card, inputs, output)
    if name == "denoiser":
        return _denoiser(parents, weights, inputs, output)
    return parents[0].graph(name)  # of latents: the same file in all of them


def _encoder(parents: Sequence[Parent], card: Card, inputs: tuple[TensorSpec, ...], output: TensorSpec) -> bytes:
    merger = Merger(inputs)
    for parent in parents:
        observation = parent.bundle.card.observation
        if observation.cameras:
            merger.add(
                parent.graph("encoder"), {image_input(observation, name): _view(observation, name, card) for name in observation.cameras}
            )
    return merger.concatenated(output)


def _view(observation: ObservationSpec, camera: str, card: Card) -> Source:
    """Return what one parent gets of a camera's images."""
    name, at_s = image_input(card.observation, camera), card.observation.cameras[camera].at_s
    if is_single(card.observation):
        return name, None, None
    seen = [at_s.index(at) for at in observation.cameras[camera].at_s]
    return name, 1, seen[0] if is_single(observation) else seen


def _denoiser(parents: Sequence[Parent], weights: Sequence[float], inputs: tuple[TensorSpec, ...], output: TensorSpec) -> bytes:
    merger, cards = Merger(inputs), [parent.bundle.card for parent in parents]
    feature, number = 0, sum(card.feature_size for card in cards)
    for parent, card in zip(parents, cards, strict=True):
        mine = [*range(feature, feature + card.feature_size), *range(number, number + card.low_dim_size)]
        feature, number = feature + card.feature_size, number + card.low_dim_size
        sources: dict[str, Source] = {"sample": ("sample", None, None), "timestep": ("timestep", None, None)}
        merger.add(parent.graph("denoiser"), {**sources, "condition": ("condition", 1, mine)})
    return merger.weighted(weights, output)


def _normalisers(parents: Sequence[Parent]) -> dict[str, Normaliser]:
    low_dim = [parent.bundle.normalisers["low_dim"] for parent in parents]
    together = Normaliser(np.concatenate([of.offset for of in low_dim]), np.concatenate([of.scale for of in low_dim]))
    return {**parents[0].bundle.normalisers, "low_dim": together}
