"""Takes other weights for the policy that runs: examines them, lets them act between episodes, and takes them back if they are worse."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.task import Future

from tactus_core.config import param
from tactus_core.learning.versions import Arrivals
from tactus_core.policy.success import SuccessConfig, SuccessWindow
from tactus_core.policy.swap import SwapLimits
from tactus_msgs.msg import EpisodeMark, PolicyVersion
from tactus_msgs.srv import SwapBundle
from tactus_nodes import topics
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.contract import Input, card_of, parameter
from tactus_nodes.moments import Moments, observed
from tactus_nodes.offers import Offers
from tactus_nodes.plugins import find_robot
from tactus_nodes.process import run
from tactus_nodes.rollout import Rollout
from tactus_nodes.spinning import read_latest

_LOOK_S = 0.5
_ENDS = {EpisodeMark.SUCCESS: True, EpisodeMark.FAILURE: False, EpisodeMark.END: None}


@dataclass(frozen=True, kw_only=True)
class SwapConfig(NodeConfig, SwapLimits, SuccessConfig):
    """Parameters of the swap."""

    nice: int = param(19, low=0, high=19, doc="Niceness: comparing weights takes no time from whoever plans; 19: everybody goes first.")
    bundle: str = param(doc="Policy bundle that the graph was started with, a name or a folder.")
    apart: bool = param(False, doc="Arm, hand and sensors are devices of their own.")
    versions: str = param("", doc="Folder in which new versions appear, a bundle each: those are offered by themselves; empty: none.")
    observe_every_s: float = param(2.0, low=0.1, high=60.0, doc="Time between two observations that are kept.")
    version_timeout_s: float = param(2.0, low=0.5, high=10.0, doc="Silence after which nobody knows whose weights act.")


class SwapNode(TactusNode):
    """`policy/swap` takes a bundle's folder, and answers once its weights are ready to act, or refused."""

    Config = SwapConfig
    inputs = (
        Input(topics.VERSION, "takes no weights", parameter("version_timeout_s")),
        Input(topics.OUTCOME, "judges no weights"),
        Input(topics.MARK, "judges no weights"),
        Input(topics.VERDICT, "takes an episode for the policy's own"),
    )

    @classmethod
    def inputs_of(cls, config: Any) -> tuple[Input, ...]:
        """See `TactusNode`."""
        return (*cls.inputs, *observed(config))

    def configure(self) -> None:
        """Begin to watch."""
        config, card = self.config, card_of(self.config)
        robot = find_robot(card.robot)
        self._moments = Moments(self, card, robot, config.observations, config.observe_every_s)
        self._rollout = Rollout(self)
        self._offers = Offers(self, self._rollout, robot, config)
        self._success = SuccessWindow(config)
        self._verdicts_in = self.poll(topics.VERDICT)
        self.subscribe(topics.VERSION.deeper(10), self._hear)
        self.subscribe(replace(topics.OUTCOME, latched=False), lambda outcome: self._end(outcome.success))  # none from before
        self.subscribe(topics.MARK, self._take_mark)
        self.serve(SwapBundle, "policy/swap", self._serve_swap)
        self.every(_LOOK_S, self._look)

    def activate(self) -> None:
        """Know nothing yet; the versions that are there have had their time."""
        self._acting: PolicyVersion | None = None
        self._before: dict[float, PolicyVersion] = {}  # by their noise
        self._falling, self._intervened, self._enough = False, Time(), self.config.observations
        self._arrivals = Arrivals(self.config.versions)

    def _hear(self, message: PolicyVersion) -> None:
        acting, self._acting = self._acting, message
        self._moments.wanted = message.running
        if acting is None or message.bundle_hash != acting.bundle_hash:
            (self._success.rolled_back if self._falling else self._success.swapped)(message.noise)
            if acting is not None and not self._falling:
                self._before[acting.noise] = acting
            self._falling = False
            self.ticks += 1
        if message.running and not (acting is not None and acting.running):
            self._success.begin()

    def _take_mark(self, message: EpisodeMark) -> None:
        if message.kind == EpisodeMark.BEGIN:
            self._success.begin()
        elif message.kind in _ENDS:
            self._end(_ENDS[message.kind])

    def _end(self, success: bool | None) -> None:
        self._look_for_help()
        self._success.end(success)
        acting, worse = self._acting, self._success.fall()
        before = self._before.get(acting.noise) if acting is not None else None
        if worse and acting is not None and before is not None and before.bundle_hash != acting.bundle_hash and not self._falling:
            self.get_logger().error(f"'{acting.bundle}' is taken back, '{before.bundle}' acts again: {worse}")
            self._offers.worse[acting.bundle_hash] = worse
            self._falling = True
            self._rollout.begin(Path(before.folder), before.bundle_hash, self._take_back)

    def _take_back(self, why_not: str) -> None:
        if why_not:
            self._falling = False  # tried again after the next episode
            self.get_logger().error(f"the weights before cannot act: {why_not}. Stop the policy, and start the graph anew with them.")

    def _look(self) -> None:
        self._look_for_help()
        if (fresh := self._arrivals.fresh()) and not self._offers.busy and self._moments.seen >= self._enough:
            self._arrivals.know(fresh)
            self._offer(str(fresh[-1]), lambda accepted, message: self._wait(fresh) if accepted is None else None)

    def _wait(self, fresh: list[Path]) -> None:
        self._arrivals.forget(fresh)  # they are offered again, once there is something else to compare them on
        self._enough = self._moments.seen + self.config.observations

    def _look_for_help(self) -> None:
        if (verdict := read_latest(self._verdicts_in)) is not None:
            # Between two looks somebody may have helped, and let go again.
            if verdict.intervention or verdict.intervened != self._intervened:
                self._success.help()
            self._intervened = verdict.intervened

    def _offer(self, bundle: str, say: Any) -> None:
        if (stale := self.stale(topics.VERSION)) or self._acting is None:
            say(None, f"nobody says whose weights act ({stale}): is the slow policy active?")
        else:
            self._offers.take(bundle, self._acting, list(self._moments.kept), say)

    def _serve_swap(self, request: SwapBundle.Request, response: SwapBundle.Response) -> Future:
        answer = Future()

        def say(accepted: bool | None, message: str) -> None:
            response.success, response.message = bool(accepted), message
            answer.set_result(response)

        self._offer(request.bundle, say)
        return answer


def main() -> None:
    """Run the node."""
    run(SwapNode, "swap")
