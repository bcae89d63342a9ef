"""Entry points of the nodes' processes: an interrupt that comes while a node is still being loaded ends it at once and quietly."""

import importlib
import os
import signal
from collections.abc import Callable

NODES = (
    "fast_policy",
    "guard",
    "perception",
    "recorder",
    "replay_device",
    "sim_camera",
    "sim_device",
    "slow_policy",
    "supervisor",
    "touch_monitor",
)


def _entry(name: str) -> Callable[[], None]:
    def main() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: os._exit(0))
        importlib.import_module(f"tactus_nodes.{name}").main()

    return main


(fast_policy, guard, perception, recorder, replay_device, sim_camera, sim_device, slow_policy, supervisor, touch_monitor) = map(
    _entry, NODES
)
