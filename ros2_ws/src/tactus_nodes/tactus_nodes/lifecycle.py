"""Managed nodes: what they open while configuring is closed at clean-up, and runs only while they are active."""

import traceback
from collections.abc import Callable
from typing import Any, ClassVar

from rclpy.client import Client
from rclpy.clock import Clock, ClockType
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription
from rclpy.timer import Timer

from tactus_core.errors import TactusError
from tactus_nodes.action_executor import ActionExecutor
from tactus_nodes.executor import LeanExecutor
from tactus_nodes.topics import Topic


class ManagedNode(LifecycleNode):
    """Override `configure`, `activate`, `deactivate`. `trouble`: why the node cannot do its work at the moment; empty: all is well."""

    Executor: ClassVar[type[LeanExecutor] | type[ActionExecutor]] = LeanExecutor

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.loop = self.Executor(self)
        self.active = False
        self.ended = False
        self.trouble = ""
        self._made: list[tuple[Callable[[Any], bool], Any]] = []

    def configure(self) -> None:
        """Load what is needed and open topics, by `publisher`, `subscribe`, `serve` and `every`. Raises TactusError."""

    def activate(self) -> None:
        """Start working."""

    def deactivate(self) -> None:
        """Stop working; take the safe action first."""

    def tell(self) -> None:
        """Say how the node is; called when a transition fails, before who asked for it gets the answer."""

    def publisher(self, topic: Topic) -> Publisher:
        """Open a publisher until clean-up."""
        return self._keep(self.destroy_publisher, self.permanent_publisher(topic))

    def permanent_publisher(self, topic: Topic) -> Publisher:
        """Open a publisher for the node's whole life."""
        return self.create_publisher(
            topic.type, topic.name, topic.qos, event_callbacks=PublisherEventCallbacks(use_default_callbacks=False)
        )

    def subscribe(self, topic: Topic, callback: Callable[[Any], None], *, raw: bool = False) -> Subscription:
        """Open a subscription until clean-up; its callback runs while the node is active."""

        def when_active(message: Any) -> None:
            if self.active:
                callback(message)

        events = SubscriptionEventCallbacks(use_default_callbacks=False)
        made = self.create_subscription(topic.type, topic.name, when_active, topic.qos, event_callbacks=events, raw=raw)
        return self._keep(self.destroy_subscription, made)

    def poll(self, topic: Topic) -> Subscription:
        """Open a subscription that wakes nobody; `tactus_nodes.spinning.read_latest` reads it."""
        made = self.subscribe(topic, lambda message: None)
        self.loop.polled.add(made)
        return made

    def serve(self, kind: type, name: str, callback: Callable[[Any, Any], Any]) -> None:
        """Offer a service until clean-up."""
        self._keep(self.destroy_service, self.create_service(kind, name, callback))

    def client(self, kind: type, name: str) -> Client:
        """Open a client of a service until clean-up."""
        return self._keep(self.destroy_client, self.create_client(kind, name))

    def every(self, period_s: float, callback: Callable[[], None]) -> Timer:
        """Call back on the steady clock, without drift, while the node is active."""

        def when_active() -> None:
            if self.active:
                callback()

        return self._keep(self.destroy_timer, self.create_timer(period_s, when_active, clock=Clock(clock_type=ClockType.STEADY_TIME)))

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See rclpy."""
        return self._transition(self.configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See rclpy."""
        return self._transition(self._activate)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See rclpy."""
        return self._transition(self._deactivate)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See rclpy."""
        return self._transition(self._cleanup)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """See rclpy."""
        return self._transition(self._shutdown)

    def _activate(self) -> None:
        self.activate()
        self.active = True

    def _deactivate(self) -> None:
        if self.active:
            self.active = False
            self.deactivate()

    def _cleanup(self) -> None:
        self.loop.forget()
        while self._made:
            destroy, entity = self._made.pop()
            destroy(entity)

    def _shutdown(self) -> None:
        self._deactivate()
        self._cleanup()
        self.ended = True

    def _transition(self, work: Callable[[], None]) -> TransitionCallbackReturn:
        # rclpy swallows exceptions of transitions; here they are told, and what was opened half-way is closed again.
        try:
            work()
        except Exception as error:
            self.trouble = str(error) if isinstance(error, TactusError) else traceback.format_exc()
            self.get_logger().error(self.trouble)
            self.tell()
            self._cleanup()
            return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS

    def _keep(self, destroy: Callable[[Any], bool], entity: Any) -> Any:
        self._made.append((destroy, entity))
        return entity
