"""Turns camera images into features for the slow policy."""

from dataclasses import dataclass

from sensor_msgs.msg import Image

from tactus_core.config import param
from tactus_core.errors import DataError
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.encoder import OnnxEncoder
from tactus_msgs.msg import Features
from tactus_nodes import convert, topics
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.process import run


@dataclass(frozen=True, kw_only=True)
class PerceptionConfig(NodeConfig):
    """Parameters of perception."""

    bundle: str = param(doc="Policy bundle, a name or a folder, whose encoder sees.")


class Perception(TactusNode):
    """An image in, features with the image's stamp out."""

    Config = PerceptionConfig

    def configure(self) -> None:
        """Load the encoder."""
        bundle = Bundle.load(self.config.bundle)
        self._encoder = OnnxEncoder(bundle)
        self._name = f"{bundle.card.id}/encoder"
        self._features = self.publisher(topics.FEATURES)
        self.subscribe(topics.IMAGE, self._see)

    def _see(self, message: Image) -> None:
        try:
            features = self._encoder.encode(convert.image(message))
        except DataError as error:
            self.trouble = str(error)
            return
        self.trouble = ""
        self._features.publish(Features(header=message.header, encoder=self._name, data=features))
        self.ticks += 1


def main() -> None:
    """Run the node."""
    run(Perception, "perception")
