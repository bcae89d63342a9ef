"""Plans: the features of an image and the touch and motion up to it become a chunk, whenever the last one is about to be played out."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image

from tactus_core.config import param
from tactus_core.errors import StaleError, TactusError
from tactus_core.policy.joining import JOINS
from tactus_core.policy.replanning import Replanning
from tactus_core.ports import SlowPolicy
from tactus_msgs.msg import ActionChunk, Features
from tactus_nodes import convert, convert_seen, convert_tactus, topics
from tactus_nodes.base import TactusNode
from tactus_nodes.contract import Input, card_age, card_of
from tactus_nodes.encoded import Encoders
from tactus_nodes.leading import Leading
from tactus_nodes.networks import BundleConfig, load_planner
from tactus_nodes.plugins import find_robot
from tactus_nodes.process import run
from tactus_nodes.sensing import LateAssembler
from tactus_nodes.sensors import Sensors, heard, seen
from tactus_nodes.spinning import read_latest
from tactus_nodes.weights import Loaded

# Half a second of sensor samples wait in the middleware while the denoiser works: the history loses none.
_QUEUE = 100
_IDLE = "plans nothing: the chunk is played to its end, then the guard holds"


@dataclass(frozen=True, kw_only=True)
class SlowPolicyConfig(BundleConfig):
    """Parameters of the slow policy; the bundle's denoiser plans."""

    seed: int = param(0, low=0, high=2**53, doc="Seed of the noise that plans are made from.")
    cache: str = param("", doc="File of `tactus cache` for this bundle: plans leave out what it says, by its sampler; empty: none.")
    join: str = param("replace", choices=JOINS, doc="How a chunk of actions joins on to those before it: policy/joining.py.")
    remote: str = param("", doc="ws://HOST:PORT of `tactus serve` with the same bundle, which plans in this node's place; empty: nobody.")
    remote_timeout_s: float = param(0.4, low=0.01, high=0.45, doc="Time for an answer; sensors' samples wait in this node as long.")
    instruction: str = param("", doc="What is to be done, in words, for a policy on a server that understands them.")
    apart: bool = param(False, doc="Arm, hand and sensors are devices of their own.")
    run: bool = param(False, doc="Plan from activation on; else from `~/run` on.")


class SlowPolicyNode(TactusNode):
    """`~/run` starts and stops it; stopping takes back the plan, so that nothing of one episode reaches into the next."""

    Config = SlowPolicyConfig
    inputs = (
        Input(topics.JOINT_STATES, _IDLE, card_age("joint_states")),
        Input(topics.WRENCH, _IDLE, card_age("wrench")),
        Input(topics.TACTILE, _IDLE, card_age("tactile")),
        Input(topics.HAND_STATES, _IDLE, card_age("joint_states")),
        Input(topics.FEATURES, _IDLE, card_age("image")),
        Input(topics.IMAGE, _IDLE, card_age("image")),
        Input(topics.ENCODED, _IDLE),
        Input(topics.VERDICT, "plans on by its own clock, though a human may have given control back"),
        Input(topics.OUTCOME, "other weights wait for `~/run`"),
        Input(topics.MARK, "other weights wait for `~/run`"),
    )

    @classmethod
    def inputs_of(cls, config: Any) -> tuple[Input, ...]:
        """See `TactusNode`."""
        return heard(cls.inputs, config)

    def configure(self) -> None:
        """Load the denoiser, or prepare to ask for plans."""
        card = card_of(self.config)
        robot = find_robot(card.robot)
        card.require_robot(robot)
        self._card, self._base_frame = card, robot.base_frame
        self._replanning = Replanning(card)
        self._sensors = Sensors.of(card, self.config.apart)
        self._assembler = LateAssembler(robot, self._sensors, self._feel, partial(setattr, self, "trouble"))
        self._chunks = self.publisher(topics.CHUNK)
        self._weights = Leading(self, partial(load_planner, self), self._take, self._start)
        for index, topic in enumerate(self._sensors.topics):  # 200 samples a second, for a few plans
            take = partial(self._assembler.take, index)
            self.subscribe(topic.deeper(_QUEUE), take, raw=True, unhurried=self._sensors.unhurried)
        for topic in seen(card):
            self.subscribe(topic, self._see if topic is topics.FEATURES else self._look)
        self._encoders = Encoders(self, card, self._answer, partial(setattr, self, "trouble"))
        self._verdicts_in = self.poll(topics.VERDICT)
        self._work = self.samples("slow_policy_work_ms")

    def _take(self, loaded: Loaded[SlowPolicy]) -> None:
        self._policy, self._made_by = loaded.part, {"bundle": loaded.bundle, "bundle_hash": loaded.bundle_hash}

    def activate(self) -> None:
        """Start as the parameter `run` says."""
        self._start(self.config.run)

    def deactivate(self) -> None:
        """Take back the plan."""
        self._start(False)

    def _start(self, running: bool) -> None:
        self._assembler.forget()
        self._encoders.forget()
        self._replanning.begin()
        self._chunks.publish(ActionChunk(**self._made_by))
        self._weights.boundary(running)
        self._policy.reset(self.config.seed)

    def _feel(self, stamp_s: float, anew: bool) -> None:
        self.lost = self._assembler.lost
        if anew:
            self._replanning.begin()
        self._replanning.feel(stamp_s)
        if self._card.observation.leader is None:
            self._answer(stamp_s)

    def _see(self, message: Features) -> None:
        self._answer(convert.seconds(message.header.stamp), lambda: convert_tactus.features(message, **self._made_by))

    def _look(self, message: Image) -> None:
        self._answer(convert.seconds(message.header.stamp), lambda: convert_seen.image(message))

    def _answer(self, observed_s: float, seen: Callable[[], NDArray[Any]] = lambda: np.empty(0, np.float32)) -> None:
        if (verdict := read_latest(self._verdicts_in)) is not None:
            self._replanning.outdate(convert_tactus.outdated_s(verdict))
        try:
            if self._weights.running and self._replanning.due(observed_s):
                self._plan(observed_s, seen())
        except TactusError as error:
            self.trouble = str(error)

    def _plan(self, observed_s: float, seen: NDArray[Any]) -> None:
        began_s = time.monotonic()
        if stale := self.stale(*self._sensors.topics):
            raise StaleError(f"nothing is planned without what the policy feels: {stale}. Check the sensors.")
        states = self._assembler.states(observed_s + np.array(self._card.observed_at_s))
        chunk = self._policy.infer(seen, states, observed_s, self._encoders.at(observed_s, self._replanning.first_s))
        self._chunks.publish(convert_tactus.to_chunk(replace(chunk, **self._made_by), self._base_frame))
        self._replanning.planned(observed_s)
        self._work.add((time.monotonic() - began_s) * 1e3)
        self.trouble = ""
        self.ticks += 1


def main() -> None:
    """Run the node."""
    run(SlowPolicyNode, "slow_policy")
