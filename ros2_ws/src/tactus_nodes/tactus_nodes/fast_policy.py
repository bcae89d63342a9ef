"""Runs the fast policy on every touch sample: the current chunk and what is felt now become a proposal."""

import math
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from builtin_interfaces.msg import Time

from tactus_core.config import param
from tactus_core.datasets import messages
from tactus_core.errors import StaleError, TactusError
from tactus_core.history import StateHistory
from tactus_core.kinematics import Kinematics
from tactus_core.policy.plan import Plan
from tactus_core.ports import FastPolicy
from tactus_core.types import Proposal as Wish
from tactus_core.types import RobotState, Target
from tactus_msgs.msg import ActionChunk as ActionChunkMsg
from tactus_msgs.msg import Proposal
from tactus_nodes import convert_tactus, topics
from tactus_nodes.base import TactusNode
from tactus_nodes.contract import Input, card_age, card_of, card_validity
from tactus_nodes.networks import BundleConfig, load_fast
from tactus_nodes.plugins import find_robot
from tactus_nodes.process import run
from tactus_nodes.sensing import Assembler
from tactus_nodes.sensors import Sensors, heard
from tactus_nodes.spinning import read_latest
from tactus_nodes.weights import Following, Loaded


@dataclass(frozen=True, kw_only=True)
class FastPolicyConfig(BundleConfig):
    """Parameters of the fast policy; the bundle's fast head acts."""

    apart: bool = param(False, doc="Arm, hand and sensors are devices of their own, and the arm is commanded by joints.")


_SILENT = "proposes nothing: the guard slows, then holds"
_RELEASES = "gives control back: the guard slows, then holds"


class FastPolicyNode(TactusNode):
    """Without a chunk that holds it says that it gives control back; without touch it is silent. Either way the guard holds."""

    Config = FastPolicyConfig
    inputs = (
        Input(topics.JOINT_STATES, _SILENT, card_age("joint_states")),
        Input(topics.WRENCH, _SILENT, card_age("wrench")),
        Input(topics.TACTILE, _SILENT, card_age("tactile")),
        Input(topics.HAND_STATES, _SILENT, card_age("joint_states")),
        Input(topics.VERDICT, "plays on, and the guard refuses what was planned before a human had control"),
        Input(topics.VERSION, "goes on with the weights that it has"),
        Input(topics.CHUNK, f"{_RELEASES}; a bad chunk is refused, and the good one played to its end", card_validity),
    )

    @classmethod
    def inputs_of(cls, config: Any) -> tuple[Input, ...]:
        """See `TactusNode`."""
        return heard(cls.inputs, config)

    def configure(self) -> None:
        """Load the fast head."""
        card = card_of(self.config)
        robot, sensors = find_robot(card.robot), Sensors.of(card, self.config.apart)
        Following(self, partial(load_fast, self, robot, Kinematics(robot)), self._take)
        self._history = StateHistory(needs=sensors.needs)
        self._assembler = Assembler(robot, sensors, self._feel, self._complain)
        self._message = Proposal()
        self._message.header.frame_id = robot.base_frame
        self._proposals = self.publisher(topics.PROPOSAL)
        self._leader, self._others = sensors.leader, []
        self.subscribe(sensors.topics[self._leader], self._sense)
        for index, topic in enumerate(sensors.topics):
            if index != self._leader and sensors.apart:
                self.subscribe(topic, partial(self._assembler.take, index))  # when it arrives is how old it is
            elif index != self._leader:
                # A device publishes touch last: reading the other two when it arrives saves two of three wake-ups a sample.
                self._others.append((index, self.poll(topic)))
        self._verdicts_in = self.poll(topics.VERDICT)
        self.subscribe(topics.CHUNK, self._take_chunk)
        self._arrival = self.samples("touch_to_fast_policy_ms")
        self._work = self.samples("fast_policy_work_ms")
        self.counts = {"refused_chunks": 0, "refused_states": 0}

    def _take(self, loaded: Loaded[FastPolicy]) -> None:
        self._policy = loaded.part
        self._plan, self._hash = Plan(loaded.card, loaded.bundle_hash), loaded.bundle_hash

    def activate(self) -> None:
        """Start with neither plan nor past."""
        self._history.clear()
        self._plan.withdraw()
        self._felt_s = math.nan

    def _take_chunk(self, message: ActionChunkMsg) -> None:
        try:
            chunk = messages.chunk(message)
            if chunk is None:
                self._plan.withdraw()
            else:
                self._plan.offer(chunk, self._felt_s, time.monotonic())
        except TactusError as error:
            self.counts["refused_chunks"] += 1
            self.get_logger().warning(str(error), throttle_duration_sec=1.0)

    def _sense(self, message: Any) -> None:
        for index, subscription in self._others:
            if (other := read_latest(subscription)) is not None:
                self._assembler.take(index, other)
        self._assembler.take(self._leader, message)

    def _feel(self, state: RobotState, stamp: Time) -> None:
        began_s = time.monotonic()
        self._arrival.add((self.now_s() - state.stamp_s) * 1e3)
        self.lost = self._assembler.lost
        self.ticks += 1
        if self._history.append(state):
            self._plan.withdraw()  # it answers an observation of another time
        self._felt_s = state.stamp_s
        self._propose(state, stamp, began_s)
        self._work.add((time.monotonic() - began_s) * 1e3)

    def _propose(self, state: RobotState, stamp: Time, now_s: float) -> None:
        try:
            if (verdict := read_latest(self._verdicts_in)) is not None:
                self._plan.outdate(convert_tactus.outdated_s(verdict))
            chunk = self._plan.playing(now_s)
            if chunk is None:
                raise StaleError("no chunk to play: is the slow policy running, and does it keep up?")
            proposal = replace(self._policy.act(chunk, self._history.view(), state.stamp_s), bundle_hash=self._hash)
            self.trouble = ""
        except StaleError as error:
            # Said aloud: silence would take the guard its timeout to notice.
            proposal = Wish(state.stamp_s, "policy", Target(state.T_base_tcp, None), release=True)
            self.trouble = str(error)
        convert_tactus.put_proposal(proposal, stamp, self._message)
        self._proposals.publish(self._message)

    def _complain(self, trouble: str) -> None:
        self.counts["refused_states"] += 1
        self.trouble = trouble


def main() -> None:
    """Run the node."""
    run(FastPolicyNode, "fast_policy")
