"""rclpy's own executor, for a node that serves an action."""

import time
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node


class ActionExecutor(SingleThreadedExecutor):
    """For one node, slower: the callbacks of an action are coroutines. polled: see `LeanExecutor`."""

    def __init__(self, node: Node) -> None:
        super().__init__(context=node.context)
        self.polled: set[Any] = set()
        self.add_node(node)

    @property
    def arrived_s(self) -> float:
        """See `LeanExecutor`: here every message is read when it arrives."""
        return time.monotonic()

    def forget(self) -> None:
        """Treat all subscriptions alike again."""
        self.polled.clear()

    def can_execute(self, entity: Any) -> bool:
        """See rclpy: what is polled wakes nobody."""
        return entity not in self.polled and super().can_execute(entity)
