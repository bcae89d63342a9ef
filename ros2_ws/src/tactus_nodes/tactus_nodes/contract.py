"""The freshness contract: for every input of every node a maximum age, and what happens when it is older."""

import importlib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any

from tactus_core.errors import ConfigError
from tactus_core.freshness import Stream
from tactus_core.policy.bundle import find_bundle
from tactus_core.policy.card import Card, load_card
from tactus_nodes import topics
from tactus_nodes.params import own, parameters_of
from tactus_nodes.topics import Topic

Age = Callable[[Any], float]


def no_maximum(config: Any) -> float:
    """Return infinity: for listeners that take what comes."""
    return math.inf


def not_judged(config: Any) -> float:
    """Return 0: content that repeats itself is no fault here."""
    return 0.0


def parameter(name: str) -> Age:
    """Return the value of the node's parameter `name`."""
    return attrgetter(name)


@lru_cache(maxsize=8)
def card_of(config: Any) -> Card:
    """Return the card of the bundle that a node's config names; raises BundleError."""
    return load_card(find_bundle(config.bundle) / "card.yaml")


def card_age(stream: str) -> Age:
    """Return the maximum age that the bundle's card gives to one of its streams; none where the policy does not need it."""

    def age(config: Any) -> float:
        needed = card_of(config).streams.get(stream)
        return math.inf if needed is None else needed.max_age_s

    return age


def card_validity(config: Any) -> float:
    """Return how long the bundle's chunks may be played [s]."""
    return card_of(config).validity_s


@dataclass(frozen=True)
class Input:
    """An input of a node class. reaction: what the node does, or leaves, when it is older.

    max_age_s, frozen_s: see `Stream`; functions of the node's config [s]. content: what of a message is compared where frozen_s is given.
    """

    topic: Topic
    reaction: str
    max_age_s: Age = no_maximum
    frozen_s: Age = not_judged
    content: Callable[[Any], Any] | None = None

    def stream(self, config: Any) -> Stream:
        """Return what judges the input in a node with this config."""
        return Stream(self.max_age_s(config), self.frozen_s(config))


def declared(inputs: Iterable[Input], topic: Topic, node: str) -> Input:
    """Return the declaration of an input; raises ConfigError where there is none."""
    for declaration in inputs:
        if declaration.topic.name in (topic.name, topics.ANY.name):
            return declaration
    raise ConfigError(
        f"node '{node}' subscribes to '{topic.name}' without a contract: an input needs a maximum age and a reaction. Add an Input to the "
        "`inputs` of its class."
    )


@dataclass(frozen=True)
class Row:
    """One input of one node of a graph, ages [s]. max_age_s None: no maximum. frozen_s None: content is not judged."""

    node: str
    topic: str
    max_age_s: float | None
    frozen_s: float | None
    reaction: str


def node_class(executable: str) -> Any:
    """Return the node class that an executable of this package runs: its module defines one."""
    module = importlib.import_module(f"tactus_nodes.{executable}")
    (found,) = (value for value in vars(module).values() if hasattr(value, "inputs") and value.__module__ == module.__name__)
    return found


def table(nodes: Iterable[tuple[str, str, Mapping[str, Any]]]) -> list[Row]:
    """Return the contract of a graph, given as (name, executable, parameters) per node; raises ConfigError or BundleError."""
    rows = []
    for name, executable, parameters in nodes:
        kind = node_class(executable)
        # Where a device is changes nothing of its contract; who asks need not know it yet.
        nowhere = {"address": "unknown"} if "device" in parameters and not parameters.get("address") else {}
        config = kind.settings({**own(parameters), **nowhere}, parameters_of(name))
        for declaration in kind.inputs_of(config):
            stream = declaration.stream(config)
            max_age_s = stream.max_age_s if math.isfinite(stream.max_age_s) else None
            rows.append(Row(name, declaration.topic.name, max_age_s, stream.frozen_s or None, declaration.reaction))
    return rows
