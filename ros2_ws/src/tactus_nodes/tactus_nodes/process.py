"""The life of a node's process, from its start to its end."""

import os
import sys
from typing import NoReturn

import rclpy
from rclpy.signals import SignalHandlerOptions

from tactus_core.errors import TactusError
from tactus_nodes.base import HEARTBEAT_S, TactusNode
from tactus_nodes.stop import StopRequest


def run(node_class: type[TactusNode], name: str) -> None:
    """Run a node, called `name` unless it is remapped, until it is shut down or interrupted; exits 0 then, 1 where it could not start."""
    stop = StopRequest()
    rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = node_class(name)
    except TactusError as error:
        rclpy.shutdown()
        sys.exit(f"error: {error}")
    while not (node.ended or stop.due()):
        node.loop.spin_once(HEARTBEAT_S)
    if not node.ended:
        node.trigger_shutdown()
    finish(node, 0)


def finish(node: TactusNode, code: int) -> NoReturn:
    """Leave the graph and end the process.

    Nothing is left to be done then, and the interpreter's own clean-up of the libraries below takes long on a busy machine.
    """
    try:
        node.loop.shutdown()
        node.destroy_node()
        rclpy.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:  # whatever failed, such as a pipe that nobody reads any more
        os._exit(code)
