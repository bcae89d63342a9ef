"""Resolves a launch file, from top to bottom, into what to start. Nothing is started until all of it has been resolved."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tactus_cli.launching import node, xml
from tactus_cli.launching.process import Process, process
from tactus_cli.launching.substitutions import Scope
from tactus_cli.launching.values import applies, boolean, value, words
from tactus_cli.launching.xml import Element
from tactus_core.errors import ConfigError

_DEEPEST_INCLUDE = 32


@dataclass(frozen=True)
class Log:
    """A line for the screen."""

    message: str


@dataclass(frozen=True)
class Shutdown:
    """Ends everything that has been started; nothing after it starts."""

    reason: str


Step = Process | Log | Shutdown


def make(file: Path, arguments: Mapping[str, str], environment: Mapping[str, str], folder: Path) -> list[Step]:
    """Return the steps of a launch file; parameter files are written into `folder`. Raises ConfigError, with file and line."""
    scope = Scope(dict(arguments), dict(environment), file=file.resolve())
    planner = _Planner(folder)
    planner.visit(xml.read(file).children, scope)
    return planner.steps


class _Planner:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.steps: list[Step] = []
        self.depth = 0
        self.actions = {
            "arg": declare,
            "let": self.let,
            "node": self.node,
            "executable": self.executable,
            "group": self.group,
            "include": self.include,
            "set_env": self.set_env,
            "unset_env": self.unset_env,
            "push_ros_namespace": self.push_namespace,
            "log": self.log,
            "shutdown": self.shutdown,
        }

    def visit(self, elements: list[Element], scope: Scope) -> None:
        for element in elements:
            if applies(element, scope):
                self.actions[element.tag](element, scope)

    def let(self, element: Element, scope: Scope) -> None:
        scope.variables[value(element, "name", scope)] = value(element, "value", scope)

    def node(self, element: Element, scope: Scope) -> None:
        self.steps.append(node.make(element, scope, self.folder / f"parameters-{len(self.steps) + 1}"))

    def executable(self, element: Element, scope: Scope) -> None:
        self.steps.append(executable(element, scope))

    def group(self, element: Element, scope: Scope) -> None:
        scoped = boolean(element, "scoped", scope, "true")
        self.visit(element.children, scope.copy() if scoped else scope)

    def include(self, element: Element, scope: Scope) -> None:
        """Visit another file in this same scope: what it sets, and the arguments given to it, stay set after it, as in ROS 2."""
        if self.depth >= _DEEPEST_INCLUDE:
            raise element.error(f"more than {_DEEPEST_INCLUDE} files deep; does a file include itself?")
        for given in element.each("arg"):
            if applies(given, scope):
                scope.variables[value(given, "name", scope)] = value(given, "value", scope)
        outer, scope.file = scope.file, included(element, scope)
        self.depth += 1
        self.visit(xml.read(scope.file).children, scope)
        self.depth -= 1
        scope.file = outer

    def set_env(self, element: Element, scope: Scope) -> None:
        scope.environment[value(element, "name", scope)] = value(element, "value", scope)

    def unset_env(self, element: Element, scope: Scope) -> None:
        scope.environment.pop(value(element, "name", scope), None)

    def push_namespace(self, element: Element, scope: Scope) -> None:
        scope.namespace = node.join_namespace(scope.namespace, value(element, "namespace", scope))

    def log(self, element: Element, scope: Scope) -> None:
        self.steps.append(Log(value(element, "message", scope)))

    def shutdown(self, element: Element, scope: Scope) -> None:
        self.steps.append(Shutdown(value(element, "reason", scope, "the launch file asked for it")))


def declare(element: Element, scope: Scope) -> None:
    """Give a launch argument its default, unless it has a value; check its choices."""
    name = element.attributes["name"]
    if name not in scope.variables:
        if "default" not in element.attributes:
            raise element.error(f"the launch argument '{name}' has neither a value nor a default. Give one: {name}:=VALUE.")
        scope.variables[name] = value(element, "default", scope)
    choices = [value(choice, "value", scope) for choice in element.each("choice")]
    if choices and scope.variables[name] not in choices:
        raise element.error(f"the launch argument '{name}' must be one of {', '.join(choices)}; got '{scope.variables[name]}'.")


def executable(element: Element, scope: Scope) -> Process:
    """Return the process of an `executable`."""
    command = words(element, "cmd", scope)
    if not command:
        raise element.error("'cmd' is empty.")
    if shutil.which(command[0], path=scope.environment.get("PATH")) is None:
        raise element.error(f"the program '{command[0]}' was not found, or may not be executed.")
    return process(element, scope, command, value(element, "name", scope, Path(command[0]).name))


def included(element: Element, scope: Scope) -> Path:
    """Return the path of an included file; only XML is known here."""
    file = Path(value(element, "file", scope))
    if not file.is_file():
        raise element.error(f"the included file {file} does not exist.")
    if file.suffix != ".xml":
        raise element.error(f"{file} is not an XML launch file; only `ros2 launch`, where ROS 2 is installed, reads the other kinds.")
    return file.resolve()


@dataclass(frozen=True)
class Argument:
    """A launch argument, as `--show-args` lists it."""

    name: str
    description: str
    default: str | None
    choices: tuple[str, ...]


def arguments(file: Path, environment: Mapping[str, str]) -> list[Argument]:
    """Return the arguments that a launch file and the files that it includes declare, in order, each once."""
    scope = Scope({}, dict(environment), file=file.resolve())
    found: dict[str, Argument] = {}
    for argument in _declared(xml.read(file), scope, 0):
        found.setdefault(argument.name, argument)
    return list(found.values())


def _declared(parent: Element, scope: Scope, depth: int) -> Iterator[Argument]:
    for element in parent.children:
        if element.tag == "arg":
            description = element.attributes.get("description", "no description given")
            choices = tuple(choice.attributes["value"] for choice in element.each("choice"))
            yield Argument(element.attributes["name"], description, element.attributes.get("default"), choices)
        elif element.tag == "group":
            yield from _declared(element, scope, depth)
        elif element.tag == "include" and depth < _DEEPEST_INCLUDE:
            try:
                file = included(element, scope)
            except ConfigError:
                continue  # its path depends on arguments; what it declares is known only when it runs
            inner = scope.copy()
            inner.file = file
            yield from _declared(xml.read(file), inner, depth + 1)
