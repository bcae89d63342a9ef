"""Keeps what the robot saw and felt at some moments of its last episodes, on which other weights are compared with those that act."""

import contextlib
from collections import deque
from functools import partial
from typing import Any

import numpy as np
from sensor_msgs.msg import Image

from tactus_core.errors import StaleError, TactusError
from tactus_core.policy.card import Card
from tactus_core.policy.encoder import Eyes, Images
from tactus_core.policy.swap import Moment, require_whole
from tactus_core.types import Array, RobotDescription
from tactus_nodes import convert, convert_seen, topics
from tactus_nodes.base import TactusNode
from tactus_nodes.contract import Input, card_of
from tactus_nodes.encoded import Encoders
from tactus_nodes.sensing import LateAssembler
from tactus_nodes.sensors import Sensors

# A plan is acted on early, and late: as long after its observation as the next one takes to come.
_ACTS = (0.1, 0.5, 1.0)
_GRID_S = 0.01
_QUEUE = 100


def observed(config: Any) -> tuple[Input, ...]:
    """Return what a node with this config (`bundle`, `apart`) hears of the robot to keep moments."""
    card = card_of(config)
    observation = card.observation
    seen = (*topics.images(observation.cameras).values(), *topics.encoded(observation.encoders).values())
    return tuple(Input(topic, "keeps no observations") for topic in (*Sensors.of(card, config.apart).topics, *seen))


class Moments:
    """Listens for as long as a moment lasts, every so often while `wanted`; in between it wakes nobody.

    kept: the newest, oldest first, three times `count`: weights may be unable to act on some. seen: how many there were.
    """

    def __init__(self, node: TactusNode, card: Card, robot: RobotDescription, count: int, every_s: float) -> None:
        self._polled, self._card = node.loop.polled, card
        self._acts_s = [share * card.replan_s for share in _ACTS]
        sensors = Sensors.of(card, node.config.apart)
        self._assembler = LateAssembler(robot, sensors, self._feel, lambda trouble: None)
        self._inputs = [
            node.subscribe(topic.deeper(_QUEUE), partial(self._assembler.take, index), raw=True, unhurried=sensors.unhurried)
            for index, topic in enumerate(sensors.topics)
        ]
        for camera, topic in topics.images(card.observation.cameras).items():
            self._inputs.append(node.subscribe(topic, partial(self._see, camera)))
        self._encoders = Encoders(node, card, lambda stamp_s: self._begin(stamp_s, {}), lambda trouble: None)
        self._inputs += self._encoders.inputs
        self.kept: deque[Moment] = deque(maxlen=3 * count)
        self.seen = 0
        self.wanted = False
        self._rest()
        node.every(every_s, self._listen)

    def _rest(self) -> None:
        self._polled.update(self._inputs)
        self._assembler.forget()
        self._encoders.forget()
        self._eyes = Eyes(self._card)  # what was seen before is not what is there when it listens again
        self._first_s = np.inf
        self._seen: tuple[float, Images, Array] | None = None

    def _listen(self) -> None:
        if self.wanted:
            self._polled.difference_update(self._inputs)

    def _feel(self, stamp_s: float, anew: bool) -> None:
        if anew:
            self._first_s, self._seen = stamp_s, None
        if self._card.observation.leader is None:
            self._begin(stamp_s, {})
        if self._seen is not None and stamp_s >= self._seen[0] + self._acts_s[-1]:
            self._keep(*self._seen)

    def _see(self, camera: str, message: Image) -> None:
        stamp_s = convert.seconds(message.header.stamp)
        try:
            images = self._eyes.see(camera, stamp_s, convert_seen.image(message))
        except TactusError:
            return  # perception tells of it; another image will do
        if images is not None:
            self._begin(stamp_s, images)

    def _begin(self, stamp_s: float, images: Images) -> None:
        if self._seen is None and stamp_s - self._card.lookback_s >= self._first_s:
            with contextlib.suppress(StaleError):  # the slow policy tells of it; another moment will do
                self._seen = stamp_s, images, self._encoders.at(stamp_s, self._first_s)

    def _keep(self, stamp_s: float, images: Images, encoded: Array) -> None:
        times_s = [*self._card.observed_at_s, *np.arange(-self._card.lookback_s, self._acts_s[-1], _GRID_S), *self._acts_s]
        try:
            states = self._assembler.states(stamp_s + np.array(times_s))
            moment = Moment(images, states, stamp_s, tuple(stamp_s + at_s for at_s in self._acts_s), encoded)
            require_whole(moment, self._card)
            self.kept.append(moment)
            self.seen += 1
        except TactusError:
            pass  # a bad sample, or one that is missing: another moment will do
        self._rest()
