"""The graph that faults are put into: launched with a tap between its nodes, watched, and brought back to motion."""

import contextlib
import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from tactus_cli.faults.clock import Clocks
from tactus_cli.faults.observation import RUNNING, Observation
from tactus_cli.faults.tapping import Tapping, through_tap
from tactus_cli.launching import plan
from tactus_cli.launching.process import Process
from tactus_cli.launching.session import Launched
from tactus_core.config import load_yaml
from tactus_core.errors import DeviceError
from tactus_core.types import RobotDescription
from tactus_msgs.msg import Heartbeat
from tactus_nodes import topics
from tactus_nodes.client import GraphSession

PRIORITY = 50
_START_S = 60.0
_MOTION_S = 15.0
_EPISODE_S = 6.0  # the policy is at work all the while
_SETTLED_TICKS = 100  # its first ones may have no verdict
_STEADY_S = 0.25  # running for this long counts as moving


class Counted:
    """How many verdicts the tap has seen, held against the ticks that the guard counts. missed: those that were made and not seen."""

    def __init__(self) -> None:
        self.seen = self.missed = 0
        self._missed_before = self._last = 0
        self._first: tuple[int, int] | None = None  # ticks and verdicts, in this guard's life

    def hear(self, ticks: int) -> None:
        """Take the count of a heartbeat; a lower one than the last is that of a new guard."""
        if ticks < self._last:
            self._first, self._missed_before = None, self.missed
        self._last = ticks
        if self._first is None:
            if ticks >= _SETTLED_TICKS:
                self._first = ticks, self.seen
        else:
            self.missed = self._missed_before + max(0, ticks - self._first[0] - (self.seen - self._first[1]))


class Graph:
    """A graph that is up. seen: what the tap has recorded. trouble: what each node last said of itself, where it is not well."""

    def __init__(self, launched: Launched, tap: Tapping, session: GraphSession, clocks: Clocks, robot: RobotDescription) -> None:
        self.launched, self.tap, self.session, self.clocks = launched, tap, session, clocks
        self.seen = Observation(tuple(robot.arm_joints), tuple(robot.hand_joints))
        self.trouble: dict[str, str] = {}
        self.counted = Counted()
        self._episode_s = float("-inf")
        self._press = session.node.create_publisher(Bool, topics.ESTOP_REQUEST.name, topics.ESTOP_REQUEST.qos)
        self._estop = session.node.create_client(Trigger, "supervisor/estop")
        session.listen(topics.DIAGNOSTICS.deeper(100), self._take_diagnostics)
        session.listen(topics.HEARTBEAT.deeper(100), self._count)
        session.tolerate_faults()

    def update(self) -> None:
        """Fetch what the tap has recorded since the last time."""
        before = len(self.seen.decisions)
        self.seen.add(self.tap.records())
        self.counted.seen += len(self.seen.decisions) - before

    def wait(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `done()`, with what is seen kept up to date; return whether it has come within `timeout_s`."""
        deadline_s = time.monotonic() + timeout_s

        def over() -> bool:
            self.update()
            return done() or time.monotonic() >= deadline_s

        self.session.wait_for(over, timeout_s + 10.0, "the graph")
        return done()

    def sleep(self, seconds: float) -> None:
        """Watch for a while."""
        self.wait(lambda: False, seconds)

    def get_moving(self, seed: int, pause_s: float) -> None:
        """Have the policy move the robot, in a new episode where the last one is nearly over, and go on for `pause_s`.

        Raises DeviceError where it does not.
        """
        for _ in range(3):
            if time.monotonic() - self._episode_s > _EPISODE_S:
                self.begin(seed)
            if not self.wait(self.moves, _MOTION_S):
                raise DeviceError(f"the policy does not move the robot: the guard is {self.seen.state or 'silent'}. {self.complaints()}")
            self.sleep(pause_s)
            if self.seen.state == RUNNING:
                return
        raise DeviceError(f"the policy does not keep the robot moving: {self.complaints()}")

    def begin(self, seed: int) -> None:
        """Begin the episode of `seed`."""
        self.session.begin_episode(seed)
        self._episode_s = time.monotonic()
        self.seen.forget(self._episode_s)

    def begin_anew(self) -> None:
        """Let the next trial begin an episode of its own."""
        self._episode_s = float("-inf")

    def moves(self) -> bool:
        """Return whether the guard has been letting a source move the robot for a while, up to now."""
        decisions = self.seen.decisions
        now_s = time.monotonic()
        rested = max((d.at_s for d in reversed(decisions) if d.state != RUNNING), default=float("-inf"))
        return bool(decisions) and self.seen.state == RUNNING and now_s - decisions[-1].at_s < 0.1 and now_s - rested > _STEADY_S

    def pid(self, label: str) -> int:
        """Return the process of a node; raises DeviceError where there is none."""
        for running in self.launched.running(label):
            if running.pid is not None and running.exit_code is None:
                return running.pid
        raise DeviceError(
            f"'{label}' does not run; the processes are {self.launched.exit_codes}. Look at its log in {self.launched.folder}."
        )

    def press(self) -> float:
        """Ask for an emergency stop by the topic; return when."""
        at_s = time.monotonic()
        self._press.publish(Bool(data=True))
        return at_s

    def stop(self) -> float:
        """Ask for an emergency stop by the service; return when."""
        at_s = time.monotonic()
        self._estop.call_async(Trigger.Request())
        return at_s

    def reset(self, timeout_s: float) -> float | None:
        """Release the emergency stop as soon as that is granted; return just before when, or None where it never is."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s and not self.ended:
            at_s = time.monotonic()
            with contextlib.suppress(DeviceError):
                self.session.call(Trigger, "supervisor/reset")
                return at_s
            self.sleep(0.2)
        return None

    @property
    def ended(self) -> bool:
        """Whether every process has ended."""
        return self.launched.wait(0.0)

    def complaints(self) -> str:
        """Return what the nodes say of themselves."""
        return "; ".join(f"{name}: {trouble}" for name, trouble in self.trouble.items()) or "No node complains."

    def _count(self, message: Heartbeat) -> None:
        if message.node == "guard":
            self.update()
            self.counted.hear(message.ticks)

    def _take_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.level == DiagnosticStatus.OK:
                self.trouble.pop(status.name, None)
            else:
                self.trouble[status.name] = status.message


def critical_nodes(file: Path, arguments: Mapping[str, str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the nodes whose loss the supervisor answers with a latched stop, as its parameters in the launch file say."""
    found: tuple[str, ...] = ()
    with tempfile.TemporaryDirectory() as folder:
        for step in plan.make(file, arguments, environment, Path(folder)):
            if isinstance(step, Process) and step.label == "supervisor":
                for option, path in itertools.pairwise(step.command):
                    if option == "--params-file":
                        for section in load_yaml(Path(path)).values():
                            found = tuple(section["ros__parameters"].get("critical", found))
    return found


@contextlib.contextmanager
def running_graph(
    file: Path,
    arguments: Mapping[str, str],
    robot: RobotDescription,
    realtime: bool,
    folder: Path,
    environment: Mapping[str, str] = os.environ,
) -> Iterator[Graph]:
    """Start the launch file with a tap in it; on leaving, no process is left. Raises SetupError, DeviceError."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    clocks = Clocks(folder)

    def alter(process: Process) -> Process:
        # On a robot a process is not started anew for ever; here every kill is on purpose.
        return clocks.apply(replace(through_tap(process), respawn_max_retries=-1))

    with (
        Tapping(robot.name, PRIORITY if realtime else 0, environment, folder / "tap.log") as tap,
        Launched(file, arguments, folder=folder, environment=environment, alter=alter) as launched,
        GraphSession(launched.check) as session,
    ):
        session.wait_ready(_START_S)
        yield Graph(launched, tap, session, clocks, robot)
