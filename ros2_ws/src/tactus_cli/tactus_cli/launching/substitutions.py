"""What `$(…)` stands for, in the scope where it is met."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tactus_cli.launching import expression
from tactus_cli.launching.template import Call, Template, parse
from tactus_core.errors import ConfigError


@dataclass
class Scope:
    """What a launch file can read and set: variables (arguments, `let`), environment, namespace; and the file being read."""

    variables: dict[str, str]
    environment: dict[str, str]
    namespace: str = ""
    file: Path = field(default_factory=Path)

    def copy(self) -> "Scope":
        """Return a scope that changes without changing this one."""
        return Scope(dict(self.variables), dict(self.environment), self.namespace, self.file)


def resolve(text: str, scope: Scope) -> str:
    """Return `text` with its substitutions replaced; raise ConfigError for one that has no value."""
    return resolve_template(parse(text), scope)


def resolve_template(template: Template, scope: Scope) -> str:
    """Return the text of a parsed template."""
    return "".join(part if isinstance(part, str) else call(part, scope) for part in template)


def call(part: Call, scope: Scope) -> str:
    """Return the value of one substitution."""
    if part.name not in _KNOWN:
        raise ConfigError(f"the substitution $({part.name}) is not known here; known are {', '.join(sorted(_KNOWN))}.")
    fewest, most, function = _KNOWN[part.name]
    if not fewest <= len(part.arguments) <= most:
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}" if most < _MANY else f"at least {fewest}"
        raise ConfigError(f"$({part.name}) takes {wanted} arguments, got {len(part.arguments)}. Quote an argument that holds spaces.")
    # Arguments are resolved on demand: the default of $(env) and the other branch of $(if) may have no value.
    return function(scope, *(lambda argument=argument: resolve_template(argument, scope) for argument in part.arguments))


Lazy = Callable[[], str]


def truth(text: str) -> bool:
    """Return a YAML boolean; the logic substitutions take no 1 or 0."""
    value = yaml.safe_load(text)
    if not isinstance(value, bool):
        raise ConfigError(f"'{text}' is not true or false.")
    return value


def _text(value: bool) -> str:
    return "true" if value else "false"


def _variable(scope: Scope, name: Lazy) -> str:
    if name() not in scope.variables:
        known = ", ".join(sorted(scope.variables)) or "none"
        raise ConfigError(f"$(var {name()}) has no value; set so far: {known}. Declare it with <arg> or <let> above this line.")
    return scope.variables[name()]


def _environment(scope: Scope, name: Lazy, default: Lazy | None = None) -> str:
    if name() in scope.environment:
        return scope.environment[name()]
    if default is None:
        raise ConfigError(f"the environment variable {name()} is not set, and $(env {name()}) has no default.")
    return default()


def find_package(name: str) -> Path:
    """Return the install prefix of a ROS package; raise ConfigError where there is none."""
    from ament_index_python.packages import PackageNotFoundError, get_package_prefix

    try:
        return Path(get_package_prefix(name))
    except (PackageNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"the package '{name}' is not installed here: {error}. Build it, or check its spelling.") from None


def _equals(_: Scope, left: Lazy, right: Lazy) -> str:
    a, b = left(), right()
    booleans = {"true": True, "1": True, "false": False, "0": False}
    if a.lower() in booleans and b.lower() in booleans:
        return _text(booleans[a.lower()] == booleans[b.lower()])
    try:
        return _text(math.isclose(float(a), float(b)))
    except ValueError:
        return _text(a == b)


def _not_equals(scope: Scope, left: Lazy, right: Lazy) -> str:
    return _text(_equals(scope, left, right) == "false")


def _either(scope: Scope, condition: Lazy, then: Lazy, otherwise: Lazy | None = None) -> str:
    if truth(condition()):
        return then()
    return otherwise() if otherwise is not None else ""


_MANY = 1000
_KNOWN: dict[str, tuple[int, int, Callable[..., str]]] = {
    "var": (1, 1, _variable),
    "env": (1, 2, _environment),
    "dirname": (0, 0, lambda scope: str(scope.file.parent)),
    "filename": (0, 0, lambda scope: str(scope.file)),
    "find-pkg-prefix": (1, 1, lambda _, package: str(find_package(package()))),
    "find-pkg-share": (1, 1, lambda _, package: str(find_package(package()) / "share" / package())),
    "eval": (1, 1, lambda _, text: expression.evaluate(text())),
    "not": (1, 1, lambda _, a: _text(not truth(a()))),
    "and": (2, 2, lambda _, a, b: _text(truth(a()) and truth(b()))),
    "or": (2, 2, lambda _, a, b: _text(truth(a()) or truth(b()))),
    "all": (1, _MANY, lambda _, *values: _text(all(truth(value()) for value in values))),
    "any": (1, _MANY, lambda _, *values: _text(any(truth(value()) for value in values))),
    "equals": (2, 2, _equals),
    "not-equals": (2, 2, _not_equals),
    "if": (2, 3, _either),
}
