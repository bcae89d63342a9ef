"""Attributes of elements, resolved; errors name the element's file and line."""

import shlex
from collections.abc import Callable
from typing import TypeVar

from tactus_cli.launching.substitutions import Scope, call, resolve
from tactus_cli.launching.template import Call, parse
from tactus_cli.launching.xml import Element
from tactus_core.errors import ConfigError

T = TypeVar("T")


def value(element: Element, attribute: str, scope: Scope, default: str | None = None) -> str:
    """Return the text of an attribute; `default` where it is absent (a required one never is)."""
    if attribute not in element.attributes and default is not None:
        return default
    return _located(element, attribute, lambda: resolve(element.attributes[attribute], scope))


def words(element: Element, attribute: str, scope: Scope) -> list[str]:
    """Split an attribute into the words of a command line; the value of a substitution is never split."""
    return _located(element, attribute, lambda: _split(element.attributes.get(attribute, ""), scope))


def number(element: Element, attribute: str, kind: type[T], default: T) -> T:
    """Return a number that stands in the file itself: ROS 2 takes no substitutions here."""
    text = element.attributes.get(attribute)
    if text is None:
        return default
    try:
        return kind(text)  # type: ignore[call-arg]
    except ValueError:
        raise element.error(f"'{attribute}' must be a plain {kind.__name__}, got '{text}'.") from None


def boolean(element: Element, attribute: str, scope: Scope, default: str) -> bool:
    """Return true, false, 1 or 0 in any case, as a bool."""
    text = value(element, attribute, scope, default)
    known = {"true": True, "1": True, "false": False, "0": False}
    if text.strip().lower() not in known:
        raise element.error(f"'{attribute}' must be true, false, 1 or 0; got '{text}'.")
    return known[text.strip().lower()]


def applies(element: Element, scope: Scope) -> bool:
    """Return what `if` and `unless` say; true where neither stands."""
    return boolean(element, "if", scope, "true") and not boolean(element, "unless", scope, "false")


def _located(element: Element, attribute: str, function: Callable[[], T]) -> T:
    try:
        return function()
    except ConfigError as error:
        raise element.error(f"in '{attribute}', {error}") from None


def _split(text: str, scope: Scope) -> list[str]:
    result: list[str] = []
    joined = False  # whether the next piece continues the last word
    for part in parse(text):
        if isinstance(part, Call):
            pieces, begins_word, ends_word = [call(part, scope)], False, False
        else:
            try:
                pieces = shlex.split(part)
            except ValueError as error:
                raise ConfigError(f"'{part}' cannot be split into words: {error}.") from None
            begins_word, ends_word = part[0].isspace(), part[-1].isspace()
        if joined and not begins_word and pieces:
            result[-1] += pieces.pop(0)
        result += pieces
        joined = not ends_word
    return result
