"""Plans: the features of an image and the touch and motion up to it become a chunk, whenever the last one is about to be played out."""

from dataclasses import dataclass

import numpy as np
from builtin_interfaces.msg import Time
from std_srvs.srv import SetBool

from tactus_core.config import param
from tactus_core.errors import TactusError
from tactus_core.history import StateHistory
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.types import RobotState
from tactus_msgs.msg import ActionChunk, Features
from tactus_nodes import convert, convert_tactus, topics
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.plugins import find_robot
from tactus_nodes.process import run
from tactus_nodes.sensing import Assembler

# Half a second of sensor samples wait in the middleware while the denoiser works: the history loses none.
_QUEUE = 100


@dataclass(frozen=True, kw_only=True)
class SlowPolicyConfig(NodeConfig):
    """Parameters of the slow policy."""

    bundle: str = param(doc="Policy bundle, a name or a folder, whose denoiser plans.")
    threads: int = param(1, low=1, high=64, doc="Threads of the denoiser.")
    seed: int = param(0, low=0, high=2**53, doc="Seed of the noise that plans are made from.")
    run: bool = param(False, doc="Plan from activation on; else from `~/run` on.")


class SlowPolicyNode(TactusNode):
    """`~/run` starts and stops it; stopping takes back the plan, so that nothing of one episode reaches into the next."""

    Config = SlowPolicyConfig

    def configure(self) -> None:
        """Load the denoiser."""
        bundle = Bundle.load(self.config.bundle, threads=self.config.threads)
        robot = find_robot(bundle.card.robot)
        self._card, self._base_frame = bundle.card, robot.base_frame
        self._policy = DiffusionPolicy(bundle, self.config.seed)
        self._history = StateHistory()
        self._assembler = Assembler(robot, self._remember)
        self._chunks = self.publisher(topics.CHUNK)
        self.subscribe(topics.JOINT_STATES.deeper(_QUEUE), self._assembler.joint_states)
        self.subscribe(topics.WRENCH.deeper(_QUEUE), self._assembler.wrench)
        self.subscribe(topics.TACTILE.deeper(_QUEUE), self._assembler.tactile)
        self.subscribe(topics.FEATURES, self._plan)
        self.serve(SetBool, "~/run", self._serve_run)
        self._work = self.samples("slow_policy_work_ms")

    def activate(self) -> None:
        """Start as the parameter `run` says."""
        self._start(self.config.run)

    def deactivate(self) -> None:
        """Take back the plan."""
        self._start(False)

    def _start(self, running: bool) -> None:
        self._running = running
        self._since_s, self._planned_s = self.now_s(), -np.inf
        self._history.clear()
        self._policy.reset(self.config.seed)
        self._chunks.publish(ActionChunk(bundle=self._card.id))

    def _remember(self, state: RobotState, stamp: Time) -> None:
        self.lost = self._assembler.lost
        if not self._running or state.stamp_s < self._since_s:
            return
        try:
            self._history.append(state)
        except TactusError as error:
            self.trouble = str(error)

    def _plan(self, message: Features) -> None:
        observed_s = convert.seconds(message.header.stamp)
        # An image from before the start shows another episode.
        if not self._running or observed_s < self._since_s or self.now_s() - self._planned_s < self._card.replan_s:
            return
        began_s = self.now_s()
        if began_s - observed_s > self._card.streams["image"].max_age_s:
            self.trouble = f"the image is {began_s - observed_s:.2f} s old: waiting for a fresher one"
            return
        try:
            chunk = self._policy.infer(np.asarray(message.data, dtype=np.float32), self._history.view(), observed_s)
        except TactusError as error:
            self.trouble = str(error)
            return
        self._chunks.publish(convert_tactus.to_chunk(chunk, self._base_frame))
        self._planned_s = observed_s
        self._work.add((self.now_s() - began_s) * 1e3)
        self.trouble = ""
        self.ticks += 1

    def _serve_run(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.success = self.active
        response.message = "" if self.active else "the slow policy is not active; wait for the supervisor"
        if self.active:
            self._start(request.data)
        return response


def main() -> None:
    """Run the node."""
    run(SlowPolicyNode, "slow_policy")
