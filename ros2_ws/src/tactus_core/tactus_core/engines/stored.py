"""A built engine as one file (`sealed.py`): what it was built from and for, itself, and what proves that it computes the right thing."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.engines import sealed
from tactus_core.errors import BundleError

_MAGIC = "tactus engine"
# Counted up whenever precision.py or a backend makes something else of the same graph: older engines are then not found.
_RECIPE = 1

Inputs = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class EngineKey:
    """What an engine was built from, by what, for what. device: `cpu`, or a GPU's architecture such as `sm_89`."""

    graph_sha256: str
    backend: str
    version: str
    device: str
    precision: str
    recipe: int = _RECIPE

    @property
    def file_name(self) -> str:
        """Name in the cache; begins with the graph, so that the engines of one graph stand together."""
        version = re.sub(r"[^\w.+]", "_", self.version)
        return f"{self.graph_sha256[:16]}-{self.backend}-{version}-{self.device}-{self.precision}-{self.recipe}.engine"

    def __str__(self) -> str:
        return f"{self.backend} {self.version}, {self.device}, {self.precision}"


@dataclass(frozen=True)
class Proof:
    """Inputs of a graph, and what the reference makes of them."""

    inputs: Inputs
    expected: NDArray[np.float32]


@dataclass(frozen=True)
class StoredEngine:
    """An engine with its key and at least one proof."""

    key: EngineKey
    engine: bytes
    proofs: Sequence[Proof]


def cache_folder() -> Path:
    """Return where engines are kept: below $XDG_CACHE_HOME, or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tactus" / "engines"


def save(stored: StoredEngine) -> Path:
    """Write an engine into the cache, whole or not at all; return its path."""
    arrays: dict[str, NDArray[Any]] = {
        "key": sealed.of_bytes(json.dumps(asdict(stored.key)).encode()),
        "engine": sealed.of_bytes(stored.engine),
    }
    for number, proof in enumerate(stored.proofs):
        arrays[f"{number}/expected"] = proof.expected
        arrays |= {f"{number}/inputs/{name}": values for name, values in proof.inputs.items()}
    path = cache_folder() / stored.key.file_name
    sealed.write(path, _MAGIC, arrays)
    return path


def load(key: EngineKey) -> StoredEngine | None:
    """Return the engine with this key from the cache, None where there is none; raises BundleError for one that is damaged or another's."""
    path = cache_folder() / key.file_name
    try:
        stored = _stored(sealed.read(path, _MAGIC, "./tactus engine"))
    except FileNotFoundError:
        return None
    if stored.key != key:
        raise BundleError(f"{path}: holds an engine for {stored.key}, expected {key}, of this very graph. Build it again: ./tactus engine.")
    return stored


def others(key: EngineKey) -> list[str]:
    """Return the file names of the engines of the same graph that are in the cache."""
    return sorted(path.name for path in cache_folder().glob(f"{key.graph_sha256[:16]}-*.engine"))


def _stored(arrays: Mapping[str, NDArray[Any]]) -> StoredEngine:
    key = EngineKey(**json.loads(arrays["key"].tobytes()))
    numbers = sorted({int(name.split("/")[0]) for name in arrays if "/" in name})
    proofs = []
    for number in numbers:
        prefix = f"{number}/inputs/"
        inputs = {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}
        proofs.append(Proof(inputs, arrays[f"{number}/expected"]))
    return StoredEngine(key, arrays["engine"].tobytes(), proofs)
