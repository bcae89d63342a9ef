"""Entry points of the nodes' processes: an interrupt that comes while a node is still being loaded ends it at once and quietly.

setup.py reads `NODES` from here, before anything of ROS is there to be imported.
"""

import importlib
import os
import signal
from collections.abc import Callable

NODES = (
    "device",
    "emulated_driver",
    "encoder",
    "fast_policy",
    "guard",
    "joy_panel",
    "perception",
    "recorder",
    "replay_device",
    "run_policy",
    "sim_camera",
    "sim_device",
    "sim_robot",
    "slow_policy",
    "supervisor",
    "swap",
    "teleop",
    "topic_device",
    "touch_monitor",
)


def __getattr__(name: str) -> Callable[[], None]:
    if name not in NODES:
        raise AttributeError(f"tactus_nodes.entry has no '{name}'; its nodes: {', '.join(NODES)}.")

    def main() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: os._exit(0))
        importlib.import_module(f"tactus_nodes.{name}").main()

    return main
