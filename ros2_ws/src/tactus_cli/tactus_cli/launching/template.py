r"""Parses `text $(name argument $(nested) 'quoted argument')`, with the grammar of ROS 2's launch frontend.

Outside of a substitution quotes are ordinary characters. Arguments stand one space apart; an argument in quotes may hold spaces,
parentheses and substitutions, whose own arguments cannot be quoted again. A backslash makes the next character ordinary.
"""

from dataclasses import dataclass

from tactus_core.errors import ConfigError


@dataclass(frozen=True)
class Call:
    """`$(name arguments...)`; each argument is a template of its own."""

    name: str
    arguments: tuple["Template", ...]


Template = tuple["str | Call", ...]


def parse(text: str) -> Template:
    """Return the parts of `text`; raise ConfigError where it is not well formed."""
    reader = _Reader(text)
    parts = reader.parts(stop="", quote="")
    return parts


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def parts(self, stop: str, quote: str, refused: str = "") -> Template:
        """Read until a character of `stop` or the end; `quote` is the mark that everything here stands in."""
        parts: list[str | Call] = []
        plain = ""
        while self.at < len(self.text) and self.text[self.at] not in stop:
            if self.text.startswith("$(", self.at):
                if plain:
                    parts.append(plain)
                    plain = ""
                parts.append(self.call(quote))
                continue
            if self.text[self.at] in refused:
                raise self.error(f"an unexpected {self.text[self.at]}")
            if self.text[self.at] == "\\" and self.at + 1 < len(self.text):
                self.at += 1
            plain += self.text[self.at]
            self.at += 1
        if plain:
            parts.append(plain)
        return tuple(parts)

    def call(self, quote: str) -> Call:
        self.at += 2
        begin = self.at
        while self.peek().isalnum() or (self.peek() and self.peek() in "_-"):
            self.at += 1
        name = self.text[begin : self.at]
        if not name or not name[0].isalpha():
            raise self.error("a $( without a name after it")
        arguments = []
        while self.peek() == " ":
            self.at += 1
            arguments.append(self.argument(quote))
        if self.peek() != ")":
            raise self.error(f"$({name} without its closing parenthesis" if not self.peek() else f"an unexpected {self.peek()}")
        self.at += 1
        return Call(name, tuple(arguments))

    def argument(self, quote: str) -> Template:
        mark = self.peek()
        if not quote and mark and mark in "'\"":
            self.at += 1
            parts = self.parts(stop=mark, quote=mark)
            if self.peek() != mark:
                raise self.error(f"a missing closing {mark}")
            self.at += 1
            return parts
        parts = self.parts(stop=" )", quote=quote, refused="(" + (quote or "'\""))
        if not parts:
            raise self.error("an empty argument; put one space between arguments, and none before the parenthesis")
        return parts

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def error(self, what: str) -> ConfigError:
        return ConfigError(f"'{self.text}' has {what} at character {self.at + 1}. Quote arguments that hold spaces or parentheses.")
