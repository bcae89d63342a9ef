"""Plans: the features of an image and the touch and motion up to it become a chunk, whenever the last one is about to be played out."""

import time
from dataclasses import dataclass
from functools import partial

import numpy as np
from std_srvs.srv import SetBool

from tactus_core.config import param
from tactus_core.errors import DataError, StaleError, TactusError
from tactus_core.policy.bundle import Bundle, find_bundle
from tactus_core.policy.card import Card, load_card
from tactus_core.policy.observation import LOOKBACK_S
from tactus_core.policy.replanning import Replanning
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.ports import SlowPolicy
from tactus_msgs.msg import ActionChunk, Features
from tactus_nodes import convert, convert_tactus, topics
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.contract import Input, card_age
from tactus_nodes.executor import read_latest
from tactus_nodes.plugins import find_robot
from tactus_nodes.process import run
from tactus_nodes.sensing import LateAssembler

# Half a second of sensor samples wait in the middleware while the denoiser works: the history loses none.
_QUEUE = 100


@dataclass(frozen=True, kw_only=True)
class SlowPolicyConfig(NodeConfig):
    """Parameters of the slow policy."""

    bundle: str = param(doc="Policy bundle, a name or a folder, whose denoiser plans.")
    threads: int = param(1, low=1, high=64, doc="Threads of the denoiser.")
    seed: int = param(0, low=0, high=2**53, doc="Seed of the noise that plans are made from.")
    remote: str = param("", doc="ws://HOST:PORT of `tactus serve` with the same bundle, which plans in this node's place; empty: nobody.")
    remote_timeout_s: float = param(0.4, low=0.01, high=0.45, doc="Time for an answer; sensors' samples wait in this node as long.")
    run: bool = param(False, doc="Plan from activation on; else from `~/run` on.")


_IDLE = "plans nothing: the chunk is played to its end, then the guard holds"


class SlowPolicyNode(TactusNode):
    """`~/run` starts and stops it; stopping takes back the plan, so that nothing of one episode reaches into the next."""

    Config = SlowPolicyConfig
    inputs = (
        Input(topics.JOINT_STATES, _IDLE, card_age("joint_states")),
        Input(topics.WRENCH, _IDLE, card_age("wrench")),
        Input(topics.TACTILE, _IDLE, card_age("tactile")),
        Input(topics.FEATURES, _IDLE, card_age("image")),
        Input(topics.VERDICT, "plans on by its own clock, though a human may have given control back"),
    )

    def configure(self) -> None:
        """Load the denoiser, or prepare to ask for plans."""
        card = load_card(find_bundle(self.config.bundle) / "card.yaml")
        robot = find_robot(card.robot)
        self._id, self._base_frame = card.id, robot.base_frame
        self._policy = self._planner(card)
        self._replanning = Replanning(card)
        self._assembler = LateAssembler(robot, self._feel, self._complain)
        self._chunks = self.publisher(topics.CHUNK)
        for index, topic in enumerate((topics.JOINT_STATES, topics.WRENCH, topics.TACTILE)):
            self.subscribe(topic.deeper(_QUEUE), partial(self._assembler.take, index), raw=True)
        self.subscribe(topics.FEATURES, self._see)
        self._verdicts_in = self.poll(topics.VERDICT)
        self.serve(SetBool, "~/run", self._serve_run)
        self._work = self.samples("slow_policy_work_ms")

    def _planner(self, card: Card) -> SlowPolicy:
        if not self.config.remote:
            return DiffusionPolicy(Bundle.load(self.config.bundle, threads=self.config.threads), self.config.seed)
        from tactus_core.remote.client import remote_bundle  # a robot that plans by itself needs none of it

        return remote_bundle(card, self.config.remote, self.config.remote_timeout_s, time.monotonic)

    def activate(self) -> None:
        """Start as the parameter `run` says."""
        self._start(self.config.run)

    def deactivate(self) -> None:
        """Take back the plan."""
        self._start(False)

    def _start(self, running: bool) -> None:
        self._running = running
        self._assembler.forget()
        self._replanning.begin()
        self._policy.reset(self.config.seed)
        self._chunks.publish(ActionChunk(bundle=self._id))

    def _feel(self, stamp_s: float, anew: bool) -> None:
        self.lost = self._assembler.lost
        if anew:
            self._replanning.begin()
        self._replanning.feel(stamp_s)

    def _see(self, message: Features) -> None:
        if (verdict := read_latest(self._verdicts_in)) is not None:
            self._replanning.outdate(convert_tactus.outdated_s(verdict))
        try:
            if self._running and self._replanning.due(convert.seconds(message.header.stamp)):
                self._plan(message)
        except TactusError as error:
            self._complain(str(error))

    def _plan(self, message: Features) -> None:
        began_s = time.monotonic()
        if stale := self.stale(topics.JOINT_STATES, topics.WRENCH, topics.TACTILE):
            raise StaleError(f"nothing is planned without touch: {stale}. Check the sensors.")
        if message.encoder != topics.encoder_name(self._id):
            raise DataError(f"features are of '{message.encoder}', expected '{topics.encoder_name(self._id)}'. Run both from one bundle.")
        observed_s = convert.seconds(message.header.stamp)
        states = self._assembler.states(observed_s - np.array(LOOKBACK_S))
        chunk = self._policy.infer(np.asarray(message.data, dtype=np.float32), states, observed_s)
        self._chunks.publish(convert_tactus.to_chunk(chunk, self._base_frame))
        self._replanning.planned(observed_s)
        self._work.add((time.monotonic() - began_s) * 1e3)
        self.trouble = ""
        self.ticks += 1

    def _complain(self, trouble: str) -> None:
        self.trouble = trouble

    def _serve_run(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.success = self.active
        response.message = "" if self.active else "the slow policy is not active; wait for the supervisor"
        if self.active:
            self._start(request.data)
        return response


def main() -> None:
    """Run the node."""
    run(SlowPolicyNode, "slow_policy")
