"""A client of the running graph: waits until it is ready, runs episodes, asks the nodes for their timing."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.task import Future
from std_msgs.msg import Bool
from std_srvs.srv import SetBool, Trigger

from tactus_core.errors import DeviceError
from tactus_core.types import Outcome
from tactus_msgs.msg import EpisodeOutcome
from tactus_msgs.srv import ResetEpisode
from tactus_nodes import convert_tactus, topics
from tactus_nodes.executor import LeanExecutor
from tactus_nodes.heard import Heard
from tactus_nodes.spinning import keep_latest, spin_until
from tactus_nodes.topics import Topic

_CALL_S = 10.0
KEEP_S = 60.0  # for `recorder/keep`: a bag, written by whoever has the least of the processor
_ASK_AGAIN = 0.2  # of the time for an answer


class GraphSession:
    """One conversation with a graph; use as a context manager.

    check: called again and again during every wait; raise in it to give up (a launched process has died, say).
    Every method raises DeviceError that names the node where one is lost, missing, or refuses.
    """

    def __init__(self, check: Callable[[], None] = lambda: None) -> None:
        self._check = check
        self._context = Context()
        rclpy.init(context=self._context)
        self.node = rclpy.create_node("tactus_client", context=self._context)
        self._loop = LeanExecutor(self.node)
        self._ready = self._tolerant = False
        self._heard = Heard()
        self._outcomes: dict[int, EpisodeOutcome] = {}
        self.listen(topics.READY, self._take_ready)
        self.listen(replace(topics.OUTCOME, latched=False), self._take_outcome)  # none from before this session
        self.listen(topics.HEARTBEAT.deeper(100), self._heard.beat)
        self.listen(topics.DIAGNOSTICS, self._heard.told)

    def __enter__(self) -> "GraphSession":
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)

    @property
    def alive(self) -> Mapping[str, float]:
        """When each node was heard last, on the steady clock."""
        return self._heard.alive

    def listen(self, topic: Topic, callback: Callable[[Any], None]) -> None:
        """Call back for every message of `topic` during the waits."""
        self.node.create_subscription(topic.type, topic.name, callback, topic.qos)

    def newest(self, topic: Topic) -> Callable[[], Any]:
        """Return what reads the newest message of `topic`, an empty one before the first. Messages wake nobody: 200 a second take time."""
        self._loop.polled.add(polled := self.node.create_subscription(topic.type, topic.name, lambda message: None, topic.qos))
        return keep_latest(polled)

    def wait_for(self, done: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Wait until `done()`; raises DeviceError with `what` after `timeout_s`, or where the graph complains meanwhile."""
        deadline_s = time.monotonic() + timeout_s
        while not spin_until(self._loop, done, 0.1):
            if not self._tolerant:
                self._complain(what)
            if time.monotonic() > deadline_s:
                raise DeviceError(f"waited {timeout_s:.0f} s for {what}. {self._heard.who_is_there()}")

    def listen_for(self, seconds: float) -> None:
        """Let messages come for so long."""
        ends_s = time.monotonic() + seconds
        self.wait_for(lambda: time.monotonic() >= ends_s, seconds + 10.0, f"the end of {seconds} s")

    def tolerate_faults(self) -> None:
        """From here on a node that dies, or an emergency stop, does not end a wait: for those who cause them."""
        self._tolerant = True

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Wait until every managed node is active."""
        self.wait_for(lambda: self._ready, timeout_s, "the graph to come up")

    def begin_episode(self, seed: int) -> None:
        """Start the episode of `seed`, and let the policy act."""
        self.call(SetBool, "slow_policy/run", data=False)
        self._outcomes.clear()
        self.call(ResetEpisode, "sim/reset", seed=seed)
        self.call(SetBool, "slow_policy/run", data=True)

    def run_episode(self, seed: int, timeout_s: float = 60.0) -> Outcome:
        """Run the episode of `seed` from its start to its outcome."""
        self.begin_episode(seed)
        self.wait_for(lambda: seed in self._outcomes, timeout_s, f"the outcome of episode {seed}")
        return convert_tactus.outcome(self._outcomes[seed])

    def call(self, kind: Any, name: str, timeout_s: float = _CALL_S, **fields: Any) -> Any:
        """Call a service and return its response; raises DeviceError where none comes within `timeout_s`, or where it says no."""
        response = self.ask(kind, name, timeout_s, **fields)
        if not response.success:
            raise DeviceError(f"service '{name}' refused: {response.message}")
        return response

    def ask(self, kind: Any, name: str, timeout_s: float, **fields: Any) -> Any:
        """Call a service and return its response, whatever it says; raises DeviceError where none comes within `timeout_s`.

        It is asked again where it does not answer soon: whoever was just started anew may not know the caller yet, and what it answers
        is lost then. The services of our nodes may be called twice.
        """
        client, again_s = self.node.create_client(kind, name), _ASK_AGAIN * timeout_s
        asked: list[tuple[Future, float]] = []

        def answered() -> bool:
            if not asked or time.monotonic() - asked[-1][1] > again_s:
                asked.append((client.call_async(kind.Request(**fields)), time.monotonic()))
            return any(future.done() for future, _ in asked)

        try:
            self.wait_for(client.service_is_ready, _CALL_S, f"service '{name}'")
            self.wait_for(answered, timeout_s, f"an answer of '{name}'")
        finally:
            self.node.destroy_client(client)
        return next(future.result() for future, _ in asked if future.done())

    def timing(self, nodes: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return what each node measured since it was last asked (see `TactusNode.samples`), and start anew."""
        return {name: json.loads(self.call(Trigger, f"{name}/timing").message) for name in nodes}

    def _take_ready(self, message: Bool) -> None:
        self._ready = message.data

    def _take_outcome(self, message: EpisodeOutcome) -> None:
        self._outcomes[message.seed] = message

    def _complain(self, what: str) -> None:
        self._check()
        if self._heard.complaint:
            raise DeviceError(f"waiting for {what}: the supervisor reports: {self._heard.complaint}.")
