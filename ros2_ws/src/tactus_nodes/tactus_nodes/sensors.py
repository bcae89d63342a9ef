"""Which messages of which sensors a policy is made to feel and to see, by its card."""

import math
from dataclasses import dataclass, replace
from typing import Any

from tactus_core.history import FELT
from tactus_core.policy.card import Card
from tactus_core.policy.encoder import only_camera
from tactus_core.policy.specs import encoder_stream
from tactus_nodes import topics
from tactus_nodes.contract import Input, card_age, card_of
from tactus_nodes.topics import Topic

# What one device that measures everything publishes for each sample, touch last.
_OF_ONE_DEVICE = (topics.JOINT_STATES, topics.WRENCH, topics.TACTILE)


@dataclass(frozen=True)
class Sensors:
    """The messages that a state is made of. max_age_s: of each, by the card; `leader`: the index of the one that makes a state.

    apart: arm, hand and sensors are devices of their own, whose stamps have nothing to do with each other; a state is then made of what
    the policy needs, as of the arm's joint states. Else all is one device's, and belongs together by its stamp.
    unhurried: who plans from them need not be woken by them: by what it sees it is, and no state is made by when it was heard.
    """

    topics: tuple[Topic, ...]
    max_age_s: tuple[float, ...]
    needs: frozenset[str]
    apart: bool
    unhurried: bool

    @staticmethod
    def of(card: Card, apart: bool) -> "Sensors":
        """Return the sensors that a bundle needs."""
        age_s = {name: spec.max_age_s for name, spec in card.streams.items()}
        felt, unhurried = frozenset(card.needs & set(FELT)), card.observation.leader is not None and not apart
        if not apart:
            return Sensors(_OF_ONE_DEVICE, tuple(age_s.get(topic.name, math.inf) for topic in _OF_ONE_DEVICE), felt, apart, unhurried)
        hand = [topics.HAND_STATES] if card.joints.hand else []
        wanted = (topics.JOINT_STATES, *hand, *(topic for topic in _OF_ONE_DEVICE[1:] if topic.name in felt))
        return Sensors(wanted, tuple(age_s.get(topic.name, age_s["joint_states"]) for topic in wanted), felt, apart, unhurried)

    @property
    def leader(self) -> int:
        """The index of the stream whose messages make states: the first, or of one device the last that it publishes."""
        return 0 if self.apart else len(self.topics) - 1


def seen(card: Card) -> tuple[Topic, ...]:
    """Return where a slow policy gets from what it sees: features, images where its card has no encoder, or nothing.

    Raises BundleError for several cameras without an encoder: a server is sent one image.
    """
    if "encoder" in card.graphs:
        return (topics.FEATURES,)
    return (topics.IMAGE,) if only_camera(card) else ()


def heard(inputs: tuple[Input, ...], config: Any) -> tuple[Input, ...]:
    """Return those of a policy node's inputs that it listens to with this config (`bundle`, `apart`).

    What is declared of `ENCODED` holds for each encoder that the policy observes, with its own maximum age.
    """
    card = card_of(config)
    sensors = Sensors.of(card, config.apart)
    told = {topic.name for topic in (*sensors.topics, *seen(card))}
    every = {topic.name for topic in (*_OF_ONE_DEVICE, topics.HAND_STATES, topics.FEATURES, topics.IMAGE, topics.ENCODED)}
    encoded = [
        replace(declaration, topic=topic, max_age_s=card_age(encoder_stream(name)))
        for declaration in inputs
        if declaration.topic == topics.ENCODED
        for name, topic in topics.encoded(card.observation.encoders).items()
    ]
    return (*(of for of in inputs if of.topic.name in told or of.topic.name not in every), *encoded)
