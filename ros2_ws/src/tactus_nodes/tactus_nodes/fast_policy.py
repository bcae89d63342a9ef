"""Runs the fast policy on every touch sample: the current chunk and what is felt now become a proposal."""

import time
from dataclasses import dataclass

from builtin_interfaces.msg import Time
from sensor_msgs.msg import PointCloud2

from tactus_core.config import param
from tactus_core.errors import TactusError
from tactus_core.history import StateHistory
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.fast import make_fast_policy
from tactus_core.types import ActionChunk, RobotState
from tactus_msgs.msg import ActionChunk as ActionChunkMsg
from tactus_msgs.msg import Proposal
from tactus_nodes import convert_tactus, topics
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.executor import read_latest
from tactus_nodes.plugins import find_robot
from tactus_nodes.process import run
from tactus_nodes.sensing import Assembler


@dataclass(frozen=True, kw_only=True)
class FastPolicyConfig(NodeConfig):
    """Parameters of the fast policy."""

    bundle: str = param(doc="Policy bundle, a name or a folder, whose fast head acts.")


class FastPolicyNode(TactusNode):
    """Without a chunk that holds, nothing is proposed: the guard sees the silence and holds."""

    Config = FastPolicyConfig

    def configure(self) -> None:
        """Load the fast head."""
        bundle = Bundle.load(self.config.bundle)
        robot = find_robot(bundle.card.robot)
        self._validity_s = bundle.card.validity_s
        self._policy = make_fast_policy(bundle, robot)
        self._history = StateHistory()
        self._assembler = Assembler(robot, self._feel)
        self._message = Proposal()
        self._message.header.frame_id = robot.base_frame
        self._proposals = self.publisher(topics.PROPOSAL)
        # A device publishes touch last: reading the other two when it arrives saves two of three wake-ups a sample.
        self._joints_in, self._wrench_in = self.poll(topics.JOINT_STATES), self.poll(topics.WRENCH)
        self.subscribe(topics.TACTILE, self._touch)
        self.subscribe(topics.CHUNK, self._take_chunk)
        self._arrival = self.samples("touch_to_fast_policy_ms")
        self._work = self.samples("fast_policy_work_ms")

    def activate(self) -> None:
        """Start with neither plan nor past."""
        self._history.clear()
        self._chunk: ActionChunk | None = None
        self._chunk_received_s = 0.0

    def _take_chunk(self, message: ActionChunkMsg) -> None:
        try:
            self._chunk = convert_tactus.chunk(message)
        except TactusError as error:
            self._chunk = None
            self.trouble = str(error)
        self._chunk_received_s = time.monotonic()

    def _touch(self, message: PointCloud2) -> None:
        for subscription, take in ((self._joints_in, self._assembler.joint_states), (self._wrench_in, self._assembler.wrench)):
            if (other := read_latest(subscription)) is not None:
                take(other)
        self._assembler.tactile(message)

    def _feel(self, state: RobotState, stamp: Time) -> None:
        began_s = time.monotonic()
        self._arrival.add((self.now_s() - state.stamp_s) * 1e3)
        self.lost = self._assembler.lost
        try:
            self._history.append(state)
            if self._propose(state, stamp, began_s):
                self.trouble = ""
        except TactusError as error:
            self.trouble = str(error)
        self._work.add((time.monotonic() - began_s) * 1e3)
        self.ticks += 1

    def _propose(self, state: RobotState, stamp: Time, now_s: float) -> bool:
        if self._chunk is None:
            self.trouble = "no chunk to play: is the slow policy running?"
            return False
        # Stamps order data, they never prove it fresh: a chunk also ages on this process's own clock.
        if now_s - self._chunk_received_s > self._validity_s:
            self._chunk = None
            self.trouble = f"no new chunk for {self._validity_s} s: does the slow policy keep up?"
            return False
        proposal = self._policy.act(self._chunk, self._history.view(), state.stamp_s)
        convert_tactus.put_proposal(proposal, stamp, self._message)
        self._proposals.publish(self._message)
        return True


def main() -> None:
    """Run the node."""
    run(FastPolicyNode, "fast_policy")
