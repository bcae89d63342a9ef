"""Weights of the slow policy, which leads: others act from a boundary between episodes on, and it says so."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from std_srvs.srv import SetBool

from tactus_core.policy.card import Card
from tactus_core.policy.exploring import noise_of
from tactus_msgs.msg import EpisodeMark, PolicyVersion
from tactus_msgs.srv import SwapBundle
from tactus_nodes import topics
from tactus_nodes.base import TactusNode
from tactus_nodes.weights import Loaded, Part, Weights

_ANNOUNCE_S = 0.5


class Leading(Weights[Part]):
    """Of the slow policy. `~/run` starts and stops it: `restart` begins anew, running or not, and calls `boundary`."""

    def __init__(
        self,
        node: TactusNode,
        load: Callable[[Path], tuple[Card, Part]],
        take: Callable[[Loaded[Part]], None],
        restart: Callable[[bool], None],
    ) -> None:
        super().__init__(node, load, take)
        self._restart, self.running = restart, False
        self._armed: Loaded[Part] | None = None
        self._out = node.publisher(topics.VERSION)
        node.serve(SetBool, "~/run", self._serve_run)
        node.serve(SwapBundle, "~/swap", self._serve_swap)
        node.subscribe(replace(topics.OUTCOME, latched=False), lambda _: self._end())  # none from before
        node.subscribe(topics.MARK, lambda mark: None if mark.kind == EpisodeMark.NOTE else self._end())
        node.every(_ANNOUNCE_S, self._announce)

    def why_not(self) -> str:
        """See `Weights`."""
        server = self._node.config.remote
        return f"{server} plans in this node's place: start it with the other bundle, and the graph anew" if server else ""

    def boundary(self, running: bool) -> None:
        """Let those act that were asked to; nothing is being played. running: whether the policy plans from here on."""
        armed, self._armed, self.running = self._armed, None, running
        if armed is not None:
            self._act(armed)
        self._announce()

    def _end(self) -> None:
        if self._armed is not None:
            self._restart(self.running)

    def _announce(self) -> None:
        acting = self.acting
        message = PolicyVersion(bundle=acting.bundle, bundle_hash=acting.bundle_hash, folder=str(acting.folder), running=self.running)
        message.noise = noise_of(acting.card)
        message.header.stamp = self._node.stamp()
        self._out.publish(message)

    def _serve_run(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.success = self._node.active
        response.message = "" if self._node.active else "the slow policy is not active; wait for the supervisor"
        if self._node.active:
            self._restart(request.data)
        return response

    def _serve_swap(self, request: SwapBundle.Request, response: SwapBundle.Response) -> SwapBundle.Response:
        found = self._found(request.bundle_hash)
        response.success = self._node.active and found is not None
        if not response.success:
            response.message = "these weights are not ready: ask ~/prepare first" if self._node.active else "the slow policy is not active"
            return response
        self._armed = None if found is self.acting else found
        if self._armed is not None and not self.running:
            self._restart(False)
        response.message = "acts from the next boundary between episodes on" if self._armed else "acts"
        return response
