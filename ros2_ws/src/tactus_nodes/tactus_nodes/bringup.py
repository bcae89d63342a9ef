"""Ordered transitions of managed nodes, by their lifecycle services."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.task import Future

from tactus_core.errors import DeviceError
from tactus_nodes import topics
from tactus_nodes.base import HEARTBEAT_S, TactusNode
from tactus_nodes.executor import spin_until

_ROUND_DOWN_S = 0.4  # nodes leave by themselves soon after


class Bringup:
    """Takes the nodes `names` up in this order and down in reverse."""

    def __init__(self, node: TactusNode, names: Sequence[str]) -> None:
        self._loop = node.loop
        self._names = names
        self._active: list[str] = []
        self._said: dict[str, str] = {}
        node.subscribe(topics.DIAGNOSTICS.deeper(100), self._listen)
        self._clients = {name: node.create_client(ChangeState, f"{name}/change_state") for name in names}

    def up(self, timeout_s: float, given_up: Callable[[], bool]) -> bool:
        """Configure all nodes, then activate them one after the other; False where `given_up()` came first.

        Raises DeviceError that names who did not follow.
        """
        deadline_s = time.monotonic() + timeout_s
        while waiting := [name for name, client in self._clients.items() if not client.service_is_ready()]:
            if given_up():
                return False
            if time.monotonic() > deadline_s:
                raise DeviceError(
                    f"{', '.join(waiting)} did not appear within {timeout_s} s. Did its process end? Its own message, above or in the log "
                    "folder, says why."
                )
            self._loop.spin_once(HEARTBEAT_S)
        # Configuring loads files and makes worlds, and nobody needs another for it: all at once. Activating has an order.
        rounds = [("configure", self._names), *(("activate", (name,)) for name in self._names)]
        for transition, names in rounds:
            if given_up():
                return False
            answers = self._change(names, transition, deadline_s - time.monotonic(), given_up)
            if failed := [name for name in names if not answers.get(name)]:
                if given_up():
                    return False
                reasons = [f"{name}: {self._said.get(name, 'no answer')}" for name in failed]
                raise DeviceError(f"{', '.join(failed)} did not {transition}. {' '.join(dict.fromkeys(reasons))}")
            self._active += names if transition == "activate" else ()
        return True

    def down(self, without: Collection[str]) -> None:
        """Deactivate all nodes but `without`, the last first, then end them; who does not answer is left to the signal that it got."""
        for transition, names in (("deactivate", self._active), ("shutdown", self._names)):
            deadline_s = time.monotonic() + _ROUND_DOWN_S
            for name in reversed([name for name in names if name not in without]):
                self._change((name,), transition, deadline_s - time.monotonic(), lambda: False)

    def _listen(self, message: DiagnosticArray) -> None:
        self._said.update({status.name: status.message for status in message.status})

    def _change(self, names: Sequence[str], transition: str, timeout_s: float, given_up: Callable[[], bool]) -> Mapping[str, bool]:
        request = ChangeState.Request(transition=Transition(label=transition))
        ready = {name: client for name in names if (client := self._clients[name]).service_is_ready()}
        futures: dict[str, Future] = {name: client.call_async(request) for name, client in ready.items()}
        spin_until(self._loop, lambda: given_up() or all(future.done() for future in futures.values()), timeout_s)
        return {name: future.done() and future.result().success for name, future in futures.items()}
