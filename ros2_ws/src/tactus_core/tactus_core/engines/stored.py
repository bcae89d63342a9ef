"""A built engine as one file: what it was built from and for, the engine itself, and what proves that it computes the right thing.

A line of magic, a line with the sha256 of all that follows, then an .npz archive. Read whole and hashed before anything in it is parsed,
so that a damaged file is one clear error. The hash guards against damage, not against malice: whoever can write into the cache of a
user can do anything in that user's name.
"""

import hashlib
import io
import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import BundleError

_MAGIC = b"tactus engine\n"
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
        "key": np.frombuffer(json.dumps(asdict(stored.key)).encode(), np.uint8),
        "engine": np.frombuffer(stored.engine, np.uint8),
    }
    for number, proof in enumerate(stored.proofs):
        arrays[f"{number}/expected"] = proof.expected
        arrays |= {f"{number}/inputs/{name}": values for name, values in proof.inputs.items()}
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]
    folder, data = cache_folder(), content.getvalue()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
        file.write(_head(data) + data)
    path = folder / stored.key.file_name
    os.replace(file.name, path)  # atomic: nobody ever reads half an engine
    return path


def load(key: EngineKey) -> StoredEngine | None:
    """Return the engine with this key from the cache, None where there is none; raises BundleError for one that is damaged or another's."""
    path = cache_folder() / key.file_name
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    data = content[len(_head(b"")) :]
    if content != _head(data) + data:
        raise BundleError(
            f"{path}: damaged or cut short: its content does not have the hash that it names. Build it again: ./tactus engine."
        )
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        stored = _stored({name: arrays[name] for name in arrays.files})
    if stored.key != key:
        raise BundleError(f"{path}: holds an engine for {stored.key}, expected {key}, of this very graph. Build it again: ./tactus engine.")
    return stored


def others(key: EngineKey) -> list[str]:
    """Return the file names of the engines of the same graph that are in the cache."""
    return sorted(path.name for path in cache_folder().glob(f"{key.graph_sha256[:16]}-*.engine"))


def _head(data: bytes) -> bytes:
    return _MAGIC + hashlib.sha256(data).hexdigest().encode() + b"\n"


def _stored(arrays: Mapping[str, NDArray[Any]]) -> StoredEngine:
    key = EngineKey(**json.loads(arrays["key"].tobytes()))
    numbers = sorted({int(name.split("/")[0]) for name in arrays if "/" in name})
    proofs = []
    for number in numbers:
        prefix = f"{number}/inputs/"
        inputs = {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}
        proofs.append(Proof(inputs, arrays[f"{number}/expected"]))
    return StoredEngine(key, arrays["engine"].tobytes(), proofs)
