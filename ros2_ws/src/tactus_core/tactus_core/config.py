"""One contract for parameters: frozen dataclasses declare them once, YAML holds differences, unknown keys fail.

    @dataclass(frozen=True)
    class GuardConfig:
        max_speed_m_s: float = param(0.5, low=0.0, high=2.0, doc="Largest speed of the tcp.")

Units stand in the names. ROS parameters are declared from the same fields (`tactus_nodes.params`).
"""

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml

from tactus_core.errors import ConfigError

T = TypeVar("T")
# In C where PyYAML has it: a card takes 4 ms instead of 30, which other threads of a node have to wait for.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class ParamInfo:
    """What a field says of itself beyond its type and default."""

    doc: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] | None = None


def param(
    default: Any = MISSING,
    *,
    doc: str,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> Any:
    """Declare a parameter with its range; use as a dataclass field's value."""
    return field(default=default, metadata={"param": ParamInfo(doc, low, high, choices)})


def info(f: "Field[Any]") -> ParamInfo:
    """Return what `f` was declared with."""
    return f.metadata.get("param", ParamInfo(doc=""))


def from_mapping(cls: type[T], values: Mapping[str, Any], source: str) -> T:
    """Build the dataclass `cls` from its defaults and the differences in `values`.

    Raises ConfigError for an unknown key, a wrong type, or a value out of range; `source` names the file or launch argument.
    """
    known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise ConfigError(f"{source}: unknown parameter '{key}' for {cls.__name__}; it knows {', '.join(sorted(known))}.{hint}")
    missing = [n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING and n not in values]
    if missing:
        raise ConfigError(f"{source}: {cls.__name__} needs {', '.join(missing)}, which have no default. Set them there.")
    return cls(**{key: checked(known[key], value, source) for key, value in values.items()})


def checked(f: "Field[Any]", value: Any, source: str) -> Any:
    """Return `value` converted to the type of field `f`, or raise ConfigError."""
    if get_origin(f.type) is tuple:
        value = _elements(f, value, source)
    if isinstance(f.type, type) and is_dataclass(f.type) and isinstance(value, Mapping):
        return from_mapping(f.type, value, f"{source}: {f.name}")
    kind = f.type if isinstance(f.type, type) else {"float": float, "int": int, "bool": bool, "str": str}.get(str(f.type))
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if kind in (float, int, bool, str) and type(value) is not kind:
        raise ConfigError(f"{source}: '{f.name}' must be a {kind.__name__}, got {value!r} ({type(value).__name__}).")
    declared = info(f)
    for number in value if isinstance(value, tuple) else (value,):
        # `not (low <= x)` instead of `x < low`: NaN has to fail as well.
        if declared.low is not None and not declared.low <= number:
            raise ConfigError(f"{source}: '{f.name}' must be at least {declared.low}, got {value!r}. {declared.doc}")
        if declared.high is not None and not number <= declared.high:
            raise ConfigError(f"{source}: '{f.name}' must be at most {declared.high}, got {value!r}. {declared.doc}")
    if declared.choices is not None and value not in declared.choices:
        raise ConfigError(f"{source}: '{f.name}' must be one of {', '.join(declared.choices)}, got {value!r}.")
    return value


def _elements(f: "Field[Any]", value: Any, source: str) -> Any:
    """Return a list as the tuple that `f` wants: of its length, and numbers of its type (whole ones pass as float)."""
    kinds = get_args(f.type)
    if not isinstance(value, list | tuple) or (... not in kinds and len(value) != len(kinds)):
        length = "" if ... in kinds else f"{len(kinds)} "
        raise ConfigError(f"{source}: '{f.name}' must be a list of {length}values, got {value!r}.")
    if kinds[0] is float:
        value = [float(v) if type(v) is int else v for v in value]
    if kinds[0] in (float, int) and any(type(v) is not kinds[0] for v in value):
        raise ConfigError(f"{source}: '{f.name}' must hold {kinds[0].__name__} values only, got {value!r}.")
    return tuple(value)


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds a mapping; raise ConfigError where it does not."""
    try:
        values = yaml.load(path.read_text(), Loader=_LOADER)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file. Check the spelling of the path.") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected a mapping of names to values, got a {type(values).__name__}.")
    return values
