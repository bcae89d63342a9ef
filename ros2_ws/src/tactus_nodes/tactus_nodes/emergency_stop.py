"""The emergency stop as the graph meets it: one latched topic, one topic to press it, two services."""

import time
from collections.abc import Callable

from rclpy.task import Future
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from tactus_nodes import topics
from tactus_nodes.base import HEARTBEAT_S, TactusNode
from tactus_nodes.latch import Latch

_POLL_S = 0.05
# The guard hears of a release by another way than of this request, and has a cool-down of its own: its first no need not be its last word.
_PATIENCE_S = 2.0


class EmergencyStop:
    """Anybody presses it, by `estop/request` or `~/estop`; only `~/reset` releases it, and only together with the guard.

    missing: says who has to be active before a reset, empty where all are. changed: called after every change.
    """

    def __init__(self, node: TactusNode, cooldown_s: float, missing: Callable[[], str], changed: Callable[[], None]) -> None:
        self._latch = Latch(cooldown_s)
        self._missing, self._changed = missing, changed
        self._log = node.get_logger()
        self._out = node.publisher(topics.ESTOP)
        self._guard = node.create_client(Trigger, "guard/reset")
        self._reply: Future | None = None  # what the caller of `~/reset` waits for
        self._answer: Future = Future()  # what the guard says to it
        self._until_s = 0.0
        node.subscribe(topics.ESTOP_REQUEST, self._take_request)
        node.serve(Trigger, "~/estop", self._serve_estop)
        node.serve(Trigger, "~/reset", self._serve_reset)
        # Told again and again, not only when it changes: its silence is how the guard learns that nobody watches any more.
        node.every(HEARTBEAT_S, self.tell)
        node.every(_POLL_S, self._pursue_reset)

    @property
    def text(self) -> str:
        """What it was pressed for; empty where it is not pressed."""
        return f"emergency stop: {', '.join(self._latch.causes)}" if self._latch.causes else ""

    def press(self, cause: str) -> None:
        """Press it."""
        if self._latch.press(cause, time.monotonic()):
            self._log.error(f"emergency stop: {cause}")
            self.tell()
            self._changed()

    def tell(self) -> None:
        """Publish whether it is pressed."""
        self._out.publish(Bool(data=self._latch.pressed))

    def _take_request(self, message: Bool) -> None:
        if message.data:
            self.press(f"asked for on {topics.ESTOP_REQUEST.name}")

    def _serve_estop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self.press("asked for by service")
        response.success, response.message = True, self.text
        return response

    def _serve_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response | Future:
        refusal = "a reset is under way; wait for its answer" if self._reply else self._refusal()
        if refusal:
            self._log.warning(f"no reset: {refusal}")
            response.success, response.message = False, refusal
            return response
        self._latch.try_release()
        self.tell()
        self._until_s = time.monotonic() + _PATIENCE_S
        self._answer = self._guard.call_async(Trigger.Request())
        self._reply = Future()
        return self._reply

    def _refusal(self) -> str:
        if missing := self._missing():
            return f"the emergency stop stays until every critical node is active: {missing}"
        if left_s := self._latch.left_s(time.monotonic()):
            return f"the emergency stop was pressed a moment ago; a reset is taken in {left_s:.1f} s"
        return ""

    def _pursue_reset(self) -> None:
        if self._reply is None:
            return
        answer = self._answer.result() if self._answer.done() else None
        if refusal := self._refusal():  # pressed anew, or somebody was lost: the release is off, whatever the guard says
            self._end_reset(False, refusal)
        elif answer is not None and answer.success:
            self._end_reset(True, answer.message)
        elif time.monotonic() > self._until_s:
            self._end_reset(False, answer.message if answer else f"the guard did not answer within {_PATIENCE_S} s; look at its log.")
        elif answer is not None:
            self._answer = self._guard.call_async(Trigger.Request())

    def _end_reset(self, success: bool, message: str) -> None:
        if success:
            self._latch.release()
            self._log.info(f"emergency stop released: {message}")
        else:
            self._latch.keep()
            self._log.warning(f"no reset: {message}")
        self.tell()
        self._changed()
        reply, self._reply = self._reply, None
        if reply is not None:
            reply.set_result(Trigger.Response(success=success, message=message))
