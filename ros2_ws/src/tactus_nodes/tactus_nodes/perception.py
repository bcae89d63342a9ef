"""Turns camera images into features for the slow policy."""

from dataclasses import dataclass
from operator import attrgetter

from sensor_msgs.msg import Image

from tactus_core.config import param
from tactus_core.errors import TactusError
from tactus_core.policy.encoder import OnnxEncoder, Views, only_camera
from tactus_msgs.msg import Features
from tactus_nodes import convert, topics
from tactus_nodes.base import TactusNode
from tactus_nodes.contract import Input, card_age, parameter
from tactus_nodes.networks import BundleConfig, load_bundle
from tactus_nodes.process import run


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
    )

    def configure(self) -> None:
        """Load the encoder."""
        bundle = load_bundle(self)
        self._encoder = OnnxEncoder(bundle)
        self._name = topics.encoder_name(bundle.card.id)
        self._features = self.publisher(topics.FEATURES)
        self._camera = only_camera(bundle.card)
        if "encoder" in bundle.card.graphs:
            self._views = Views(bundle.card, self._camera)
            self.subscribe(topics.IMAGE, self._see)

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
        self._features.publish(Features(header=message.header, encoder=self._name, data=features))
        self.ticks += 1


def main() -> None:
    """Run the node."""
    run(Perception, "perception")
