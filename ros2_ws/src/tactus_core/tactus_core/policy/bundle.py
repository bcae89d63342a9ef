"""Loading a policy bundle: nothing in it is trusted until its hash, its tensors and its numbers agree with the card."""

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.engines.making import Warn, open_graph
from tactus_core.engines.port import Engine, EngineConfig
from tactus_core.errors import BundleError
from tactus_core.policy.card import Card, file_sha256, load_card
from tactus_core.policy.graphs import TWIST_SIZE
from tactus_core.policy.specs import TensorSpec


@dataclass(frozen=True)
class Normaliser:
    """x_n = (x − offset) / scale, element by element; offset and scale float32."""

    offset: NDArray[np.float32]
    scale: NDArray[np.float32]

    def normalise(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return physical `values` as a network wants them."""
        return (values.astype(np.float32) - self.offset) / self.scale

    def unnormalise(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a network's `values` in physical units."""
        return values * self.scale + self.offset


@dataclass(frozen=True)
class Bundle:
    """A verified policy: card, normalisers by name, and one ready engine per graph that was asked for.

    sha256: of the card's file; empty: it has none.
    """

    card: Card
    normalisers: Mapping[str, Normaliser]
    engines: Mapping[str, Engine]
    sha256: str = ""

    @staticmethod
    def load(
        path_or_name: str | Path, config: EngineConfig | None = None, warn: Warn | None = None, graphs: Collection[str] | None = None
    ) -> "Bundle":
        """Load a bundle from a folder, or by name from the bundles folder, on the engines of `config`. Raises BundleError, SetupError.

        warn: with it, an engine that cannot be had is replaced by the reference, and this is told what is lost; without, that is an error.
        graphs: those that are to be run here; None: all.
        """
        folder = find_bundle(path_or_name)
        card, sha256 = load_card(folder / "card.yaml"), file_sha256(folder / "card.yaml")
        if card.normaliser is None:
            return Bundle(card, {}, {}, sha256)
        verify_hash(folder / card.normaliser.file, card.normaliser.sha256)
        wanted = {name: graph for name, graph in card.graphs.items() if graphs is None or name in graphs}
        for graph in wanted.values():
            verify_hash(folder / graph.file, graph.sha256)
        normalisers = load_normalisers(folder / card.normaliser.file, card)
        engines = {name: open_graph(folder / graph.file, graph, config or EngineConfig(), warn) for name, graph in wanted.items()}
        return Bundle(card, normalisers, engines, sha256)

    def run(self, graph: str, **inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Return the only output of `graph`."""
        return self.engines[graph].run(**inputs)

    def warm_up(self) -> None:
        """Run each engine once: the first run of one takes longer than those after it."""
        examples = example_observation(self.card)
        for name, engine in self.engines.items():
            engine.run(**examples[name])


def bundles_folder() -> Path:
    """Return where bundles are found by name: $TACTUS_BUNDLES, the repository's models/bundles, or an installed package's share."""
    if chosen := os.environ.get("TACTUS_BUNDLES"):
        return Path(chosen)
    above = [parent / "models" / "bundles" for parent in Path(__file__).resolve().parents]
    prefixes = filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep))
    candidates = [*above, *(Path(prefix) / "share" / "tactus_models" / "bundles" for prefix in prefixes)]
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise BundleError(
        f"no bundles folder: looked for models/bundles above {Path(__file__).parent} and share/tactus_models/bundles in AMENT_PREFIX_PATH. "
        "Set TACTUS_BUNDLES to the folder that holds the bundles."
    )


def find_bundle(path_or_name: str | Path) -> Path:
    """Return the folder of a bundle given as a path or a name; raises BundleError that lists the known ones."""
    if (Path(path_or_name) / "card.yaml").is_file():
        return Path(path_or_name)
    root = bundles_folder()
    if (root / path_or_name / "card.yaml").is_file():
        return root / path_or_name
    known = ", ".join(sorted(card.parent.name for card in root.glob("*/card.yaml"))) or "none"
    raise BundleError(f"no bundle '{path_or_name}': neither a folder with a card.yaml nor a name in {root}, which has: {known}.")


def load_normalisers(path: Path, card: Card) -> dict[str, Normaliser]:
    """Read `normaliser.json`; raises BundleError for wrong names or lengths, and for numbers that cannot normalise."""
    steps, channels = card.sample_shape
    sizes: dict[str, tuple[int, ...]] = {"low_dim": (card.low_dim_size,), "action": (card.action_size,)}
    if card.observation.encoded_size:
        sizes["encoded"] = (card.observation.encoded_size,)
    if card.latent:
        sizes |= {"window": (card.latent.window_size,), "latent": (channels, steps * channels)}
    if card.residual:
        sizes |= {"residual": (card.low_dim_size + TWIST_SIZE,)}
    try:
        values = json.loads(path.read_text())
        got = {name: (entry["offset"], entry["scale"]) for name, entry in values.items()}
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise BundleError(f"{path}: expected JSON of name → offset, scale lists, got {error!r}. Export the bundle again.") from None
    if set(got) != set(sizes):
        raise BundleError(f"{path}: normalisers are {sorted(got)}, kind '{card.kind}' needs {sorted(sizes)}. Export the bundle again.")
    return {name: _normaliser(*got[name], sizes[name], f"{path}: {name}", card) for name in sizes}


def save_normalisers(normalisers: Mapping[str, Normaliser], path: Path) -> None:
    """Write `normaliser.json`: name → offset and scale lists."""
    plain = {name: {"offset": of.offset.ravel().tolist(), "scale": of.scale.ravel().tolist()} for name, of in normalisers.items()}
    path.write_text(json.dumps(plain, indent=1))


def _normaliser(offset: Any, scale: Any, sizes: tuple[int, ...], source: str, card: Card) -> Normaliser:
    try:
        pair = np.array([offset, scale], dtype=np.float32)
    except (ValueError, TypeError):
        raise BundleError(f"{source}: offset and scale must be two lists of numbers of one length. Export the bundle again.") from None
    if pair.ndim != 2 or pair.shape[1] not in sizes:
        raise BundleError(f"{source}: offset and scale have shape {pair.shape[1:]}, expected length {' or '.join(map(str, sizes))}.")
    if not (np.isfinite(pair).all() and (pair[1] > 0).all()):
        raise BundleError(f"{source}: offset must be finite and scale positive and finite. The training data was not; export it again.")
    # A latent has one offset and scale per channel, or one per step and channel.
    return Normaliser(*(pair.reshape(2, *card.sample_shape) if pair.shape[1] == sizes[-1] and len(sizes) > 1 else pair))


def verify_hash(path: Path, expected: str) -> None:
    """Raise BundleError where a bundle's file is missing, or is another one than its card says."""
    if not path.is_file():
        raise BundleError(f"{path}: missing, though the card lists it. Fetch the bundle again (git checkout, or export it).")
    if (got := file_sha256(path)) != expected:
        raise BundleError(f"{path}: sha256 is {got}, the card says {expected}. The file was altered or cut short; fetch the bundle again.")


def example_observation(card: Card, rows: int = 10) -> dict[str, dict[str, NDArray[Any]]]:
    """Return valid inputs for every graph, by graph and name: for warm-up, benchmarks and tests. `rows` fills dynamic dimensions."""
    rng = np.random.default_rng(0)

    def example(spec: TensorSpec) -> NDArray[Any]:
        shape = tuple(rows if d == -1 else d for d in spec.shape)
        return (rng.integers(0, 100, shape) if spec.dtype != "float32" else rng.standard_normal(shape)).astype(spec.dtype)

    return {name: {spec.name: example(spec) for spec in graph.inputs} for name, graph in card.graphs.items()}
