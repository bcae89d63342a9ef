"""Runs an encoder that stands alone: raw sight or touch in, features out. Its card says which, and how old that may be."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from tactus_core.config import param
from tactus_core.errors import DataError
from tactus_core.perception.encoder_card import CARD, EncoderCard, load_encoder_card
from tactus_core.policy.card import file_sha256
from tactus_msgs.msg import Features
from tactus_nodes import topics
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.contract import Input, parameter
from tactus_nodes.encoding import KINDS
from tactus_nodes.process import run
from tactus_nodes.topics import Topic

# By the streams of a card: what is encoded, and what that needs beside it.
_ENCODED = {"image": topics.IMAGE, "touch_image": topics.TOUCH_IMAGE, "depth": topics.DEPTH, "joint_states": topics.JOINT_STATES}
_BESIDE = {"depth": topics.DEPTH_INFO, "joint_states": topics.CLOUD}
_NOTHING = "makes no features"
_NOWHERE = (0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class EncoderConfig(NodeConfig):
    """Parameters of the node."""

    encoder: str = param(doc="Folder of the encoder, made by ./tactus export.")
    frozen_s: float = param(0.5, low=0.0, high=10.0, doc="Repetition of one image from which its camera counts as frozen; 0: never.")
    base_frame: str = param("base", doc="Name of the robot's base, in which clouds are.")
    position_base_camera_m: tuple[float, float, float] = param(
        _NOWHERE, low=-10.0, high=10.0, doc="A depth camera's optical frame in the base."
    )
    rotation_base_camera_rad: tuple[float, float, float] = param(
        _NOWHERE, low=-7.0, high=7.0, doc="Its axes there (z ahead), as a rotation vector."
    )


@lru_cache(maxsize=8)
def _card(folder: str) -> EncoderCard:
    return load_encoder_card(Path(folder))


def _age(stream: str) -> Callable[[Any], float]:
    return lambda config: _card(config.encoder).max_age_s[stream]


def _images(topic: Topic, stream: str) -> Input:
    return Input(topic, _NOTHING, _age(stream), parameter("frozen_s"), content=attrgetter("data"))


class Encoder(TactusNode):
    """`features`: of each message, with its stamp. By kind also `camera/cloud` or `optical_touch/markers`, which that is made from."""

    Config = EncoderConfig
    inputs = (
        _images(topics.IMAGE, "image"),
        _images(topics.TOUCH_IMAGE, "touch_image"),
        _images(topics.DEPTH, "depth"),
        Input(topics.DEPTH_INFO, "makes no cloud before it is known; it may come once"),
        Input(topics.CLOUD, _NOTHING, _age("cloud")),
        Input(topics.JOINT_STATES, _NOTHING, _age("joint_states")),
    )

    @classmethod
    def inputs_of(cls, config: Any) -> tuple[Input, ...]:
        """See `TactusNode`: those of the card's kind."""
        heard = [topic for table in (_ENCODED, _BESIDE) for stream, topic in table.items() if stream in _card(config.encoder).max_age_s]
        return tuple(declaration for declaration in cls.inputs if declaration.topic in heard)

    def configure(self) -> None:
        """Load the encoder."""
        _card.cache_clear()  # the folder may have another one by now
        card = _card(self.config.encoder)
        self._made_by = {"encoder": topics.encoder_name(card.id), "bundle_hash": file_sha256(Path(self.config.encoder) / CARD)}
        self._features = self.publisher(topics.FEATURES)
        self._encoding = KINDS[card.kind](self, Path(self.config.encoder), card)
        (stream,) = card.max_age_s.keys() & _ENCODED.keys()
        self._beside = _BESIDE.get(stream)
        if self._beside is not None:
            self.subscribe(self._beside, self._take)
        self.subscribe(_ENCODED[stream], self._encode)

    def activate(self) -> None:
        """Start anew."""
        self._encoding.begin()

    def _take(self, message: Any) -> None:
        try:
            self._encoding.keep(message)
        except DataError as error:
            # Kept is what came before: that has not become any younger.
            self.streams[self._beside.name].retract()
            self.trouble = str(error)
            self.lost += 1

    def _encode(self, message: Any) -> None:
        self.trouble = self.stale()
        if self.trouble:
            return
        try:
            features = self._encoding.encode(message)
        except DataError as error:
            self.trouble = str(error)
            self.lost += 1
            return
        if features is not None:
            self._features.publish(Features(header=message.header, data=features, **self._made_by))
        self.ticks += 1


def main() -> None:
    """Run the node."""
    run(Encoder, "encoder")
