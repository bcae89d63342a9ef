"""Turns camera images into features for the slow policy."""

from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import Any

from sensor_msgs.msg import Image

from tactus_core.config import param
from tactus_core.errors import TactusError
from tactus_core.policy.card import Card
from tactus_core.policy.encoder import Eyes, OnnxEncoder
from tactus_msgs.msg import Features
from tactus_nodes import convert, convert_seen, topics
from tactus_nodes.base import TactusNode
from tactus_nodes.contract import Input, card_age, card_of, parameter
from tactus_nodes.networks import BundleConfig, load_encoder
from tactus_nodes.process import run
from tactus_nodes.weights import Following, Loaded


@dataclass(frozen=True, kw_only=True)
class PerceptionConfig(BundleConfig):
    """Parameters of perception; the bundle's encoder sees."""

    image_frozen_s: float = param(0.3, low=0.0, high=10.0, doc="Repetition of one image from which the camera counts as frozen; 0: never.")


class Perception(TactusNode):
    """Images in, features out, with the stamp of the image of the card's first camera. Without an encoder it has nothing to do."""

    Config = PerceptionConfig
    inputs = (
        Input(
            topics.IMAGE,
            "makes no features: the slow policy plans nothing",
            card_age("image"),
            parameter("image_frozen_s"),
            content=attrgetter("data"),
        ),
        Input(topics.VERSION, "goes on with the weights that it has"),
    )

    @classmethod
    def inputs_of(cls, config: Any) -> tuple[Input, ...]:
        """See `TactusNode`: the same holds for each of the policy's cameras."""
        image, version = cls.inputs
        return (*(replace(image, topic=topic) for topic in _watched(card_of(config)).values()), version)

    def configure(self) -> None:
        """Load the encoder."""
        card = card_of(self.config)
        self._eyes, self._topics = Eyes(card), _watched(card)
        self._features = self.publisher(topics.FEATURES)
        Following(self, partial(load_encoder, self), self._take)
        for camera, topic in self._topics.items():
            self.subscribe(topic, partial(self._see, camera))

    def _take(self, loaded: Loaded[OnnxEncoder]) -> None:
        self._encoder = loaded.part
        self._made_by = {"encoder": topics.encoder_name(loaded.bundle), "bundle_hash": loaded.bundle_hash}

    def _see(self, camera: str, message: Image) -> None:
        self.trouble = self.stale(self._topics[camera])
        if self.trouble:
            return
        try:
            images = self._eyes.see(camera, convert.seconds(message.header.stamp), convert_seen.image(message))
            self.trouble = self.stale(*self._topics.values())
            if images is None or self.trouble:
                return
            features = self._encoder.encode(images)
        except TactusError as error:
            self.trouble = str(error)
            return
        self._features.publish(Features(header=message.header, data=features, **self._made_by))
        self.ticks += 1


def _watched(card: Card) -> dict[str, topics.Topic]:
    return topics.images(card.observation.cameras) if "encoder" in card.graphs else {}


def main() -> None:
    """Run the node."""
    run(Perception, "perception")
