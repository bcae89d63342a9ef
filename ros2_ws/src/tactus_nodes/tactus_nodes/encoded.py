"""Hears what encoders that stand alone make, for the nodes of a policy that observes them."""

from collections.abc import Callable
from functools import partial

import numpy as np

from tactus_core.errors import DataError, StaleError
from tactus_core.policy.card import Card
from tactus_core.policy.encoded import Encoded
from tactus_core.policy.specs import encoder_stream
from tactus_core.types import Array
from tactus_msgs.msg import Features
from tactus_nodes import convert, topics
from tactus_nodes.base import TactusNode


class Encoders:
    """The encoders of a policy, and what they told. on_lead gets the stamp of what an observation is made at; inputs: subscriptions."""

    def __init__(self, node: TactusNode, card: Card, on_lead: Callable[[float], None], on_trouble: Callable[[str], None]) -> None:
        self._node, self._leader = node, card.observation.leader
        self._on_lead, self._on_trouble = on_lead, on_trouble
        self._topics, self._encoded = topics.encoded(card.observation.encoders), Encoded(card)
        self.inputs = [node.subscribe(topic, partial(self._take, name)) for name, topic in self._topics.items()]

    def _take(self, name: str, message: Features) -> None:
        stamp_s = convert.seconds(message.header.stamp)
        try:
            self._encoded.hear(name, stamp_s, np.asarray(message.data, dtype=np.float32), message.bundle_hash)
        except DataError as error:
            # Known is what came before: that has not become any younger.
            self._node.streams[self._topics[name].name].retract()
            self._on_trouble(str(error))
            return
        if encoder_stream(name) == self._leader:
            self._on_lead(stamp_s)

    def at(self, stamp_s: float, since_s: float) -> Array:
        """Return what is observed as of `stamp_s`, see `Encoded.at`; raises StaleError, also where one has been silent for too long."""
        if self._topics and (stale := self._node.stale(*self._topics.values())):
            raise StaleError(
                f"nothing is planned without what the policy's encoders make: {stale}. Are they running, from the right folder?"
            )
        return self._encoded.at(stamp_s, since_s)

    def forget(self) -> None:
        """Forget what was told."""
        self._encoded.forget()
