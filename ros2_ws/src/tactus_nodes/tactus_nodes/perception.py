"""Turns camera images into features for the slow policy."""

from dataclasses import dataclass
from functools import partial
from operator import attrgetter

from sensor_msgs.msg import Image

from tactus_core.config import param
from tactus_core.errors import TactusError
from tactus_core.policy.encoder import OnnxEncoder, Views, only_camera
from tactus_msgs.msg import Features
from tactus_nodes import convert, topics
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
    """An image in, features with the image's stamp out. It has nothing to do for a policy without an encoder."""

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

    def configure(self) -> None:
        """Load the encoder."""
        card = card_of(self.config)
        self._features = self.publisher(topics.FEATURES)
        self._camera = only_camera(card)
        Following(self, partial(load_encoder, self), self._take)
        if "encoder" in card.graphs:
            self._views = Views(card, self._camera)
            self.subscribe(topics.IMAGE, self._see)

    def _take(self, loaded: Loaded[OnnxEncoder]) -> None:
        self._encoder = loaded.part
        self._made_by = {"encoder": topics.encoder_name(loaded.bundle), "bundle_hash": loaded.bundle_hash}

    def _see(self, message: Image) -> None:
        self.trouble = self.stale(topics.IMAGE)
        if self.trouble:
            return
        try:
            images = self._views.see(convert.seconds(message.header.stamp), convert.image(message))
            features = self._encoder.encode({self._camera: images})
        except TactusError as error:
            self.trouble = str(error)
            return
        self._features.publish(Features(header=message.header, data=features, **self._made_by))
        self.ticks += 1


def main() -> None:
    """Run the node."""
    run(Perception, "perception")
