"""Makes the engines of a bundle: finds what is in the cache, builds the rest, and proves all of it where their device is at hand."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_cli.options import TUNING_SEED
from tactus_cli.quiet import quiet
from tactus_cli.speed import parts_of, quantiles
from tactus_core.engines import stored
from tactus_core.engines.making import TOLERANCES, Warn, build, find_backend, key_of, proven_error
from tactus_core.engines.port import BACKENDS, PRECISIONS, Backend, Engine, EngineConfig
from tactus_core.engines.stored import EngineKey, Inputs, StoredEngine
from tactus_core.errors import BundleError, SetupError, TactusError
from tactus_core.policy.bundle import Bundle, example_observation, find_bundle
from tactus_core.policy.card import Card, load_card
from tactus_core.policy.specs import GraphSpec

_TICK_s = 0.005  # of every simulated world


@dataclass(frozen=True)
class Made:
    """An engine of a graph. state: `built`, or `there` already; error: of its proof, None where its device is not at hand."""

    graph: str
    state: str
    size_MB: float
    error: float | None
    tolerance: float
    note: str

    @property
    def failed(self) -> bool:
        """Whether it ran and did not prove itself."""
        return self.error is not None and not self.error <= self.tolerance


def make_engines(folder: Path, card: Card, config: EngineConfig, compute_capability: str, seconds: float, warn: Warn) -> Iterator[Made]:
    """Yield the engine of each graph of a bundle, built where it is missing or damaged; raises a TactusError.

    seconds: how much of episodes to observe for int8's scales.
    """
    backend = find_backend(config.backend)
    keys = {name: key_of(graph, config, backend, compute_capability) for name, graph in card.graphs.items()}
    found = {name: _there(key, warn) for name, key in keys.items()}
    observed: Mapping[str, Sequence[Inputs]] = {}
    if not all(found.values()):
        observed = observe(folder, card, seconds) if config.precision == "int8" else {g: [x] for g, x in example_observation(card).items()}
    for name, graph in card.graphs.items():
        engine = found[name] or build(folder / graph.file, graph, keys[name], observed[name])
        yield _proven(name, graph, engine, config, backend, "there" if found[name] else "built")


def observe(folder: Path, card: Card, seconds: float) -> dict[str, list[Inputs]]:
    """Return what each graph of a bundle was given in `seconds` of lockstep episodes of its task; ConfigError without such a task."""
    with quiet():
        from tactus_nodes.plugins import find_task
        from tactus_sim.lockstep import Lockstep

        bundle = Bundle.load(folder)
        listening = {name: _Listening(engine) for name, engine in bundle.engines.items()}
        lockstep = Lockstep(find_task(card.task), replace(bundle, engines=listening))
        ticks = itertools.chain.from_iterable(lockstep.ticks(seed) for seed in itertools.count(TUNING_SEED))
        for _ in itertools.islice(ticks, round(seconds / _TICK_s)):
            pass
    return {name: engine.heard for name, engine in listening.items()}


class _Listening:
    """An engine that keeps what it was given."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.heard: list[Inputs] = []

    def run(self, **inputs: NDArray[Any]) -> NDArray[np.float32]:
        self.heard.append({name: values.copy() for name, values in inputs.items()})
        return self._engine.run(**inputs)


def _there(key: EngineKey, warn: Warn) -> StoredEngine | None:
    try:
        return stored.load(key)
    except BundleError as error:
        warn(f"{error} It is built anew.")
        return None


def _proven(name: str, graph: GraphSpec, engine: StoredEngine, config: EngineConfig, backend: Backend, state: str) -> Made:
    error, note = None, ""
    try:
        error = proven_error(backend.open(engine.engine, graph, config.threads), engine.proofs)
    except SetupError as trouble:  # the device is elsewhere
        note = str(trouble)
    return Made(name, state, len(engine.engine) / 1e6, error, TOLERANCES[config.precision], note)


def compare(name: str, repetitions: int, seed: int, seconds: float, warn: Warn) -> dict[str, Any]:
    """Return how fast and how exact a bundle is on every engine that this machine can have, and why it cannot have the others.

    `engines`: a row each, with `errors` of its graphs by `proven_error`, p50 and p99 [ms] of the parts of `parts_of`, taken in turns, and
    `chunk_error`: how far a chunk from the same noise and the same observation is from the reference's, as rms over rms.
    """
    folder = find_bundle(name).resolve()
    card = load_card(folder / "card.yaml")
    bundles: dict[EngineConfig, Bundle] = {}
    errors: dict[EngineConfig, dict[str, float | None]] = {}
    missing = []
    for config in (EngineConfig(backend, precision) for backend in BACKENDS for precision in PRECISIONS):
        try:
            made = [] if config.is_reference else list(make_engines(folder, card, config, "", seconds, warn))
            errors[config] = {row.graph: row.error for row in made}
            bundles[config] = Bundle.load(folder, config)
        except TactusError as error:
            missing.append({"backend": config.backend, "precision": config.precision, "why": str(error)})
    parts = {config: parts_of(bundle, repetitions, seed) for config, bundle in bundles.items()}
    times = {part: quantiles({config: parts[config][part] for config in bundles}) for part in next(iter(parts.values()))}
    chunks = {config: calls["chunk"][0]().data for config, calls in parts.items()}
    rows = [
        {
            "backend": config.backend,
            "precision": config.precision,
            "errors": errors[config],
            "chunk_error": _distance(chunks[config], chunks[EngineConfig()]),
            **{f"{part}_ms": measured[config] for part, measured in times.items()},
        }
        for config in bundles
    ]
    return {"bundle": card.name, "denoiser_steps": card.generator.inference_steps, "engines": rows, "missing": missing}


def _distance(values: NDArray[Any], reference: NDArray[Any]) -> float:
    return float(np.linalg.norm(values - reference) / np.linalg.norm(reference))
