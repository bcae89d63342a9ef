"""Ordered transitions of managed nodes, by their lifecycle services."""

import time
from collections.abc import Callable, Sequence

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.client import Client
from rclpy.task import Future

from tactus_core.errors import DeviceError
from tactus_nodes import topics
from tactus_nodes.base import HEARTBEAT_S, TactusNode
from tactus_nodes.contract import Input, parameter
from tactus_nodes.spinning import spin_until
from tactus_nodes.watch import GET_STATE, Stage, Watch

# What the supervisor hears.
INPUTS = (
    Input(topics.HEARTBEAT, "counts the node as lost; a critical one: emergency stop", parameter("heartbeat_timeout_s")),
    Input(topics.ESTOP_REQUEST, "heard as it comes: who asks for a stop says so until he is heard"),
    Input(topics.DIAGNOSTICS, "heard as it comes: it says why a start failed"),
)
_ROUND_DOWN_S = 0.4  # nodes leave by themselves soon after


class Bringup:
    """Takes the nodes `names` up as `watch` says, at the start and whenever one comes back, and down in reverse."""

    def __init__(self, node: TactusNode, names: Sequence[str], watch: Watch) -> None:
        self._loop = node.loop
        self._names = names
        self._watch = watch
        self._said: dict[str, str] = {}
        node.subscribe(topics.DIAGNOSTICS.deeper(100), self._listen)
        self._changes: dict[str, Client] = {name: node.create_client(ChangeState, f"{name}/change_state") for name in names}
        self._states: dict[str, Client] = {name: node.create_client(GetState, f"{name}/get_state") for name in names}

    def step(self) -> None:
        """Ask each node what is due, without waiting for its answer."""
        for name, request in self._watch.due():
            client = (self._states if request == GET_STATE else self._changes)[name]
            if client.service_is_ready():
                self._watch.asked(name, request)
                self._ask(client, name, request)

    def up(self, given_up: Callable[[], bool]) -> bool:
        """Wait until all nodes are active, `step` being called meanwhile; False where `given_up()` came first.

        Raises DeviceError that names who did not follow, and why.
        """
        while waiting := self._watch.inactive(self._names):
            if given_up():
                return False
            if problems := [problem for name in waiting if (problem := self._watch.problem(name))]:
                raise DeviceError(" ".join(dict.fromkeys(problems)))
            self._loop.spin_once(HEARTBEAT_S)
        return True

    def down(self) -> None:
        """Deactivate all active nodes, the last first, then end them; who does not answer is left to the signal that it got."""
        stages = {name: self._watch.stage(name) for name in self._names}
        active = [name for name, stage in stages.items() if stage is Stage.ACTIVE]
        there = [name for name, stage in stages.items() if stage is not Stage.LOST or self._watch.problem(name)]
        for transition, names in (("deactivate", active), ("shutdown", there)):
            deadline_s = time.monotonic() + _ROUND_DOWN_S
            for name in reversed(names):
                self._end(name, transition, deadline_s)

    def _ask(self, client: Client, name: str, request: str) -> None:
        def answered(future: Future) -> None:
            now_s = time.monotonic()
            if request == GET_STATE:
                self._watch.told_state(name, future.result().current_state.label, now_s)
            else:
                failure = "" if future.result().success else self._said.get(name, "it does not say why; see its log")
                self._watch.told_done(name, request, failure, now_s)
            self.step()

        asked = GetState.Request() if request == GET_STATE else ChangeState.Request(transition=Transition(label=request))
        client.call_async(asked).add_done_callback(answered)

    def _end(self, name: str, transition: str, deadline_s: float) -> None:
        if (client := self._changes[name]).service_is_ready():
            future = client.call_async(ChangeState.Request(transition=Transition(label=transition)))
            spin_until(self._loop, future.done, deadline_s - time.monotonic())

    def _listen(self, message: DiagnosticArray) -> None:
        self._said.update({status.name: status.message for status in message.status})
