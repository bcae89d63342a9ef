"""Makes the engines of a bundle: finds what is in the cache, builds the rest, and proves all of it where their device is at hand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_cli.quiet import quiet
from tactus_core.engines import stored
from tactus_core.engines.making import TOLERANCES, Warn, build, find_backend, key_of, proven_error
from tactus_core.engines.port import Backend, Engine, EngineConfig
from tactus_core.engines.stored import EngineKey, Inputs, StoredEngine
from tactus_core.errors import BundleError, SetupError
from tactus_core.policy.bundle import Bundle, example_observation
from tactus_core.policy.card import Card, GraphSpec


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


def make_engines(folder: Path, card: Card, config: EngineConfig, compute_capability: str, seeds: range, warn: Warn) -> Iterator[Made]:
    """Yield the engine of each graph of a bundle, built where it is missing or damaged; raises a TactusError.

    seeds: of the episodes that int8's scales are made from.
    """
    backend = find_backend(config.backend)
    keys = {name: key_of(graph, config, backend, compute_capability) for name, graph in card.graphs.items()}
    found = {name: _there(key, warn) for name, key in keys.items()}
    observed: Mapping[str, Sequence[Inputs]] = {}
    if not all(found.values()):
        observed = observe(folder, card, seeds) if config.precision == "int8" else {g: [x] for g, x in example_observation(card).items()}
    for name, graph in card.graphs.items():
        engine = found[name] or build(folder / graph.file, graph, keys[name], backend, observed[name])
        yield _proven(name, graph, engine, config, backend, "there" if found[name] else "built")


def observe(folder: Path, card: Card, seeds: range) -> dict[str, list[Inputs]]:
    """Return what each graph of a bundle was given in lockstep episodes of its task; raises BundleError where there is no such task."""
    with quiet():
        from tactus_nodes.plugins import find_task
        from tactus_sim.lockstep import Lockstep

        bundle = Bundle.load(folder)
        listening = {name: _Listening(engine) for name, engine in bundle.engines.items()}
        lockstep = Lockstep(find_task(card.task), replace(bundle, engines=listening))
        for seed in seeds:
            lockstep.run(seed)
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
        error = proven_error(backend.open(engine.engine, graph, config.threads), engine)
    except SetupError as trouble:
        note = str(trouble)
    return Made(name, state, len(engine.engine) / 1e6, error, TOLERANCES[config.precision], note)
