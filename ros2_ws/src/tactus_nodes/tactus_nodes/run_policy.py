"""Lets the policy act for as long as a client of the action `run_policy` wants, and tells why that ended and how it went."""

import time
from dataclasses import dataclass, replace
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.task import Future
from std_srvs.srv import SetBool, Trigger

from tactus_core.config import param
from tactus_core.policy.run import SILENCE_S, End, Run, Termination
from tactus_msgs.action import RunPolicy
from tactus_msgs.msg import EpisodeMark, EpisodeOutcome
from tactus_nodes import topics
from tactus_nodes.action_executor import ActionExecutor
from tactus_nodes.base import NodeConfig, TactusNode
from tactus_nodes.contract import Input
from tactus_nodes.marks import Marker
from tactus_nodes.process import run
from tactus_nodes.spinning import read_latest

_LOOK_S = 0.05
_LABELS = {EpisodeMark.SUCCESS: True, EpisodeMark.FAILURE: False}


@dataclass(frozen=True, kw_only=True)
class RunPolicyConfig(NodeConfig):
    """Parameters of the node. The task and the duration are those of `~/start`, which cannot say them."""

    task: str = param("", doc="What the policy is to do, in words.")
    max_duration_s: float = param(60.0, low=0.1, high=86400.0, doc="The longest that it may take.")


class RunPolicyNode(TactusNode):
    """One run at a time, by the action or by `~/start`; cancelling, or `~/stop`, ends it. Marks its beginning and its end."""

    Config = RunPolicyConfig
    Executor = ActionExecutor
    inputs = (
        Input(topics.VERDICT, f"ends the run as 'lost', after {SILENCE_S} s of silence"),
        Input(topics.OUTCOME, "the run goes on"),
        Input(topics.MARK, "the run goes on"),
        Input(topics.VERSION, "refuses runs that name a bundle"),
    )

    def configure(self) -> None:
        """Open the action and the services."""
        self._id = ""
        self._marker = Marker(self)
        self._verdicts_in = self.poll(topics.VERDICT)
        self.subscribe(replace(topics.OUTCOME, latched=False), self._take_outcome)  # none from before
        self.subscribe(topics.MARK, self._take_mark)
        self.subscribe(topics.VERSION, lambda message: setattr(self, "_id", message.bundle))
        self._policy = self.client(SetBool, "slow_policy/run")
        self.serve(Trigger, "~/start", self._serve_start)
        self.serve(Trigger, "~/stop", self._serve_stop)
        server = ActionServer(
            self, RunPolicy, "run_policy", self._execute, goal_callback=self._judge, cancel_callback=lambda _: CancelResponse.ACCEPT
        )
        self._keep(ActionServer.destroy, server)
        self.every(_LOOK_S, self._look)

    def activate(self) -> None:
        """Run nothing yet."""
        self._run: Run | None = None
        self._handle: Any = None

    def deactivate(self) -> None:
        """End what runs."""
        if self._run is not None:
            self._finish(self._run, End(Termination.CANCELLED, None, "the node was deactivated"))

    def _judge(self, goal: RunPolicy.Goal) -> GoalResponse:
        good = self.active and self._run is None and goal.bundle in ("", self._id) and goal.max_duration_s > 0.0
        if not good:
            self.get_logger().warning(
                f"refused a run of '{goal.bundle or 'any bundle'}' for {goal.max_duration_s} s: loaded is '{self._id}', the time has to be "
                f"above 0, and {'another run is not over' if self.active and self._run else 'the node has to be active'}"
            )
        return GoalResponse.ACCEPT if good else GoalResponse.REJECT

    async def _execute(self, handle: Any) -> RunPolicy.Result:
        self._handle = handle
        run = self._begin(handle.request.task, handle.request.max_duration_s)
        end = await self._over
        self._handle = None
        (handle.canceled if end.reason is Termination.CANCELLED and handle.is_cancel_requested else handle.succeed)()
        result = RunPolicy.Result(termination_reason=str(end.reason), message=end.message, interventions=run.interventions)
        result.outcome = {True: "success", False: "failure", None: "unknown"}[end.success]
        result.duration_s = run.elapsed_s(time.monotonic())
        return result

    def _begin(self, task: str, max_duration_s: float) -> Run:
        self._over = Future(executor=self.loop)
        self._run = Run(time.monotonic(), max_duration_s)
        self._marker.say(EpisodeMark.BEGIN, task)
        self._policy.call_async(SetBool.Request(data=True))
        return self._run

    def _look(self) -> None:
        verdict, run, handle = read_latest(self._verdicts_in), self._run, self._handle
        if run is None:
            return
        if verdict is not None:
            run.hear(verdict.state, verdict.intervention, time.monotonic())
        if handle is not None:
            if handle.is_cancel_requested:
                run.end(End(Termination.CANCELLED, None, "the client cancelled it"))
            elapsed_s = run.elapsed_s(time.monotonic())
            handle.publish_feedback(RunPolicy.Feedback(elapsed_s=elapsed_s, state=run.state, intervention=run.intervention))
        if (end := run.step(time.monotonic())) is not None:
            self._finish(run, end)

    def _finish(self, run: Run, end: End) -> None:
        self._run = None
        self._policy.call_async(SetBool.Request(data=False))
        if end.reason is not Termination.LABEL:
            kind = {True: EpisodeMark.SUCCESS, False: EpisodeMark.FAILURE, None: EpisodeMark.END}[end.success]
            self._marker.say(kind, f"{end.reason}: {end.message}")
        self.get_logger().info(f"the run ended by {end.reason} after {run.elapsed_s(time.monotonic()):.1f} s: {end.message}")
        self.ticks += 1
        self._over.set_result(end)

    def _take_outcome(self, message: EpisodeOutcome) -> None:
        if self._run is not None:
            self._run.end(End(Termination.OUTCOME, message.success, "the task says so"))

    def _take_mark(self, message: EpisodeMark) -> None:
        if self._run is not None and message.kind in _LABELS:
            self._run.end(End(Termination.LABEL, _LABELS[message.kind], message.text or "somebody said so"))

    def _serve_start(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self.active and self._run is None
        response.message = "" if response.success else "another run is not over" if self.active else "the node is not active"
        if response.success:
            self._begin(self.config.task, self.config.max_duration_s)
        return response

    def _serve_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self.active and self._run is not None
        response.message = "" if response.success else "no run is going on"
        if self.active and self._run is not None:
            self._run.end(End(Termination.CANCELLED, None, "~/stop was called"))
        return response


def main() -> None:
    """Run the node."""
    run(RunPolicyNode, "run_policy")
