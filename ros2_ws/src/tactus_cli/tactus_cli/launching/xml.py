"""Reads a launch file into elements that know their lines, and refuses tags and attributes that are not known."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from tactus_core.errors import ConfigError


@dataclass
class Element:
    """A tag of a launch file."""

    tag: str
    attributes: dict[str, str]
    file: Path
    line: int
    children: list["Element"] = field(default_factory=list)

    def each(self, tag: str) -> Iterator["Element"]:
        """Yield the children with this tag."""
        return (child for child in self.children if child.tag == tag)

    def error(self, what: str) -> ConfigError:
        """Return an error that names this element's place."""
        return ConfigError(f"{self.file}, line {self.line}, <{self.tag}>: {what}")


@dataclass(frozen=True)
class Rule:
    """What an element may hold; `children` are names of rules."""

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()


def _rule(required: str = "", optional: str = "", children: str = "", action: bool = True) -> Rule:
    condition = " if unless" if action else ""
    return Rule(frozenset(required.split()), frozenset((optional + condition).split()), frozenset(children.split()))


_ACTIONS = "arg let node executable group include set_env unset_env push_ros_namespace log shutdown"
_PROCESS = "output respawn respawn_delay respawn_max_retries sigterm_timeout sigkill_timeout launch-prefix cwd on_exit"
_RULES = {
    "launch": _rule(optional="version", children=_ACTIONS, action=False),
    "arg": _rule("name", "default description", "choice"),
    "choice": _rule("value", action=False),
    "let": _rule("name value"),
    "node": _rule("pkg exec", f"name namespace exec_name args ros_args {_PROCESS}", "param remap env"),
    "executable": _rule("cmd", f"name {_PROCESS}", "env"),
    "param": _rule(optional="name value type from allow_substs", children="param", action=False),
    "remap": _rule("from to", action=False),
    "env": _rule("name value", action=False),
    "group": _rule(optional="scoped", children=_ACTIONS),
    "include": _rule("file", children="include/arg"),
    "include/arg": _rule("name value", action=False),
    "set_env": _rule("name value"),
    "unset_env": _rule("name"),
    "push_ros_namespace": _rule("namespace"),
    "log": _rule("message"),
    "shutdown": _rule(optional="reason"),
}


def read(file: Path) -> Element:
    """Return the root of a launch file, with every tag and attribute known; raise ConfigError with the line where one is not."""
    try:
        text = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}). Check the path of the launch file.") from None
    root = _parse(file, text)
    if root.tag != "launch":
        raise root.error("a launch file begins with <launch>.")
    _check(root, "launch")
    return root


def _parse(file: Path, text: bytes) -> Element:
    parser = expat.ParserCreate()
    open_elements: list[Element] = []
    roots: list[Element] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        element = Element(tag, attributes, file, parser.CurrentLineNumber)
        (open_elements[-1].children if open_elements else roots).append(element)
        open_elements.append(element)

    def characters(data: str) -> None:
        if data.strip():
            raise open_elements[-1].error(f"unexpected text '{data.strip()}'. Values stand in attributes.")

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: open_elements.pop()
    parser.CharacterDataHandler = characters
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise ConfigError(f"{file}, line {error.lineno}: not valid XML: {expat.ErrorString(error.code)}.") from None
    return roots[0]


def _check(element: Element, name: str) -> None:
    rule = _RULES[name]
    for attribute in element.attributes:
        if attribute not in rule.required | rule.optional:
            raise element.error(f"unknown attribute '{attribute}'.{_hint(attribute, rule.required | rule.optional)}")
    if missing := sorted(rule.required - element.attributes.keys()):
        raise element.error(f"needs the attribute '{missing[0]}'.")
    if {"if", "unless"} <= element.attributes.keys():
        raise element.error("has both 'if' and 'unless'; use one.")
    known = {child.rpartition("/")[2]: child for child in rule.children}
    for child in element.children:
        if child.tag not in known:
            raise child.error(f"unknown tag inside <{element.tag}>.{_hint(child.tag, frozenset(known))}")
        _check(child, known[child.tag])


def _hint(got: str, known: frozenset[str]) -> str:
    if close := difflib.get_close_matches(got, known, n=1):
        return f" Did you mean '{close[0]}'?"
    return f" Known here: {', '.join(sorted(known)) or 'none'}."
