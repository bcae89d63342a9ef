"""Between YAML's own types and the dataclasses of a card. Whatever is no part of a card is left to `tactus_core.config`."""

from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

from tactus_core.config import from_mapping
from tactus_core.errors import BundleError
from tactus_core.policy.specs import GENERATORS


def built(cls: Any, values: Any, path: Path, place: str = "") -> Any:
    """Return the dataclass `cls` of what `path` says at `place`; raises BundleError or ConfigError, which name both."""
    source = f"{path}: {place}" if place else str(path)
    types = {f.name: f.type for f in fields(cls)}
    below = {name: f"{place}.{name}" if place else name for name in _mapping(values, source)}
    parts = {name: _part(types.get(name), value, path, below[name]) for name, value in values.items()}
    return from_mapping(cls, parts, source)


def _part(kind: Any, value: Any, path: Path, place: str) -> Any:
    origin, of = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return built(kind, value, path, place)
    if set(of) == set(GENERATORS.values()):
        return _generator(value, path, place)
    if origin is UnionType and is_dataclass(of[0]):
        return None if value is None else built(of[0], value, path, place)
    if origin is Mapping and is_dataclass(of[1]):
        return {key: built(of[1], entry, path, f"{place}.{key}") for key, entry in _mapping(value, f"{path}: {place}").items()}
    if origin is tuple and is_dataclass(of[0]) and isinstance(value, list):
        return tuple(built(of[0], entry, path, f"{place}[{i}]") for i, entry in enumerate(value))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        if value not in list(kind):
            raise BundleError(f"{path}: {place} is {value!r}, expected one of {', '.join(kind)}.")
        return kind(value)
    return value


def _generator(value: Any, path: Path, place: str) -> Any:
    values = dict(_mapping(value, f"{path}: {place}"))
    method = values.pop("method", None)
    if method not in GENERATORS:
        raise BundleError(f"{path}: {place}.method is {method!r}, expected one of {', '.join(GENERATORS)}.")
    return built(GENERATORS[method], values, path, place)


def _mapping(values: Any, source: str) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise BundleError(f"{source}: expected a mapping, got {values!r}. Compare with the card of a shipped bundle.")
    return values


def plain(value: Any) -> Any:
    """Return `value` in YAML's own types: tuples as lists, enums as strings."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    return str(value) if isinstance(value, StrEnum) else value


def plain_generator(generator: Any) -> dict[str, Any]:
    """Return a generator in YAML's own types; `method` says which it is."""
    (method,) = (name for name, kind in GENERATORS.items() if isinstance(generator, kind))
    return {"method": method, **plain(asdict(generator))}
