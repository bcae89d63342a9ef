"""A single-threaded executor for short callbacks at high rates.

rclpy's own executor builds its wait set anew, and a task per callback, at every wake-up: 0.1 to 0.3 ms for a managed node with its dozen
services. This one keeps the wait set until the node's entities change. What it leaves out: coroutines, several nodes, callback groups, and
QoS events (create publishers and subscriptions without event callbacks, as `tactus_nodes.base` does). What it adds: a service's callback
may return a Future of the response, to answer later.
"""

import contextlib
import time
from collections.abc import Callable
from typing import Any

from rclpy.exceptions import InvalidHandle
from rclpy.executors import Executor
from rclpy.impl.implementation_singleton import rclpy_implementation as _rclpy
from rclpy.node import Node
from rclpy.task import Future

from tactus_nodes.timing import epoch_ns

_TURN_S = 0.02


class LeanExecutor(Executor):
    """Runs the callbacks of one node: timers first, then subscriptions in the order of their creation, then services and clients."""

    def __init__(self, node: Node) -> None:
        super().__init__(context=node.context)
        self._node = node
        self._entities: tuple[list[Any], ...] = ([], [], [], [])
        self._wait_set: Any = None
        # Subscriptions that are read when their content is wanted (see `read_latest`) wake nobody.
        self.polled: set[Any] = set()
        # These wake nobody either; all that waits on them is read, before anything else, whenever something else does.
        self.unhurried: set[Any] = set()
        self._epoch_ns = 0
        self._arrived_s: float | None = None
        # What is to be done once all that waited on a subscription was read.
        self.then: dict[Any, Callable[[], None]] = {}
        # Who wants to know the number that its publisher gave to each message.
        self.numbered: dict[Any, Callable[[int], None]] = {}
        self.add_node(node)

    def forget(self) -> None:
        """Treat all subscriptions alike again."""
        self.polled.clear()
        self.unhurried.clear()
        self.then.clear()
        self.numbered.clear()

    @property
    def arrived_s(self) -> float:
        """When the message whose callback runs arrived, on the steady clock: an unhurried one before it was read, any other now."""
        return time.monotonic() if self._arrived_s is None else self._arrived_s

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Wait for at most `timeout_sec` (None: for ever) until something is ready, then run all that is."""
        timers, subscriptions, services, clients = self._refresh()
        wait_set = self._wait_set
        wait_set.clear_entities()
        wait_set.add_guard_condition(self._guard.handle)
        for entity in timers:
            wait_set.add_timer(entity.handle)
        for entity in subscriptions:
            wait_set.add_subscription(entity.handle)
        for entity in services:
            wait_set.add_service(entity.handle)
        for entity in clients:
            wait_set.add_client(entity.handle)
        wait_set.wait(-1 if timeout_sec is None else int(timeout_sec * 1e9))
        self._catch_up()
        self._run("timer", timers, self._run_timer)
        self._run("subscription", subscriptions, self._run_subscription)
        self._run("service", services, self._run_service)
        self._run("client", clients, self._run_client)

    def _refresh(self) -> tuple[list[Any], ...]:
        node, silent = self._node, self.polled | self.unhurried
        found = (list(node.timers), [s for s in node.subscriptions if s not in silent], list(node.services), list(node.clients))
        if found != self._entities or self._wait_set is None:
            timers, subscriptions, services, clients = map(len, found)
            self._wait_set = _rclpy.WaitSet(subscriptions, 1, timers, clients, services, 0, self.context.handle)
            self._entities = found
        return found

    def _catch_up(self) -> None:
        if not self.unhurried:
            return
        self._epoch_ns = epoch_ns()  # the middleware tells arrivals by the wall clock, which may be set at any time
        for subscription in self.unhurried - self.polled:
            with contextlib.suppress(InvalidHandle):
                self._read(subscription)
        self._arrived_s = None

    def _run(self, kind: str, entities: list[Any], run: Callable[[Any], None]) -> None:
        if not entities or not (pointers := self._wait_set.get_ready_entities(kind)):
            return
        for entity in [e for e in entities if e.handle.pointer in pointers]:
            # A callback may have destroyed another entity that was ready: a managed node's clean-up does.
            with contextlib.suppress(InvalidHandle):
                run(entity)

    def _run_timer(self, timer: Any) -> None:
        if timer.handle.is_timer_ready():
            timer.handle.call_timer()
            timer.callback()

    def _run_subscription(self, subscription: Any) -> None:
        self._read(subscription)
        if subscription in self.then:
            self.then[subscription]()

    def _read(self, subscription: Any) -> None:
        # All that waits, for a node that was busy meanwhile; no more than the queue holds, and not for long: one topic must not keep the
        # others out, nor a heartbeat in.
        ends_s = time.monotonic() + _TURN_S
        for _ in range(subscription.qos_profile.depth):
            taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
            if taken is None:
                return
            message, told = taken
            if subscription in self.numbered:
                self.numbered[subscription](told["publication_sequence_number"])
            if subscription in self.unhurried:
                self._arrived_s = min((told["received_timestamp"] - self._epoch_ns) * 1e-9, time.monotonic())
            subscription.callback(message)
            if time.monotonic() > ends_s:
                return

    def _run_service(self, service: Any) -> None:
        request, header = service.handle.service_take_request(service.srv_type.Request)
        if header is None:
            return
        response = service.callback(request, service.srv_type.Response())
        if isinstance(response, Future):
            response.add_done_callback(lambda done: service.send_response(done.result(), header))
        else:
            service.send_response(response, header)

    def _run_client(self, client: Any) -> None:
        header, response = client.handle.take_response(client.srv_type.Response)
        if header is None:
            return
        try:
            future = client.get_pending_request(header.request_id.sequence_number)
        except KeyError:
            return  # given up on
        future.set_result(response)
