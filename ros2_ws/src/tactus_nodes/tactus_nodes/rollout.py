"""Has all nodes of a policy get other weights ready, and only then lets them act: together, or none."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rclpy.client import Client

from tactus_msgs.srv import SwapBundle
from tactus_nodes.base import TactusNode

_NODES = ("perception", "slow_policy", "fast_policy")
_ANSWER_S = 20.0  # of a machine that loads networks for the third time at once
_LOOK_S = 0.05

Done = Callable[[str], None]


class Rollout:
    """Asks `~/prepare` of the policy's nodes, then `~/swap` of the slow policy, which the others follow."""

    def __init__(self, node: TactusNode) -> None:
        self._ready = [node.client(SwapBundle, f"{name}/prepare") for name in _NODES]
        self._swap = [node.client(SwapBundle, "slow_policy/swap")]
        self._asked: list[tuple[dict[str, Any], float, Done]] = []
        node.every(_LOOK_S, self._look)

    def begin(self, folder: Path, bundle_hash: str, done: Done) -> None:
        """Roll the bundle in `folder` out; `done` gets why it cannot act, or nothing: it acts from the next boundary on."""
        request = SwapBundle.Request(bundle=str(folder), bundle_hash=bundle_hash)
        self._ask(self._ready, request, lambda why: done(why) if why else self._ask(self._swap, request, done))

    def _ask(self, clients: Sequence[Client], request: SwapBundle.Request, done: Done) -> None:
        if missing := [client.srv_name for client in clients if not client.service_is_ready()]:
            done(f"nobody offers {', '.join(missing)}: are all nodes of the policy running?")
            return
        answers = {client.srv_name: client.call_async(request) for client in clients}
        self._asked.append((answers, time.monotonic() + _ANSWER_S, done))

    def _look(self) -> None:
        now_s = time.monotonic()
        for asked in list(self._asked):
            answers, due_s, done = asked
            silent = [name for name, future in answers.items() if not future.done()]
            if silent and now_s < due_s:
                continue
            self._asked.remove(asked)
            given = {name: future.result() for name, future in answers.items() if future.done()}
            refusals = [f"{name}: {answer.message}" for name, answer in given.items() if not answer.success]
            done("; ".join((*refusals, *(f"{name} did not answer within {_ANSWER_S:.0f} s" for name in silent))))
