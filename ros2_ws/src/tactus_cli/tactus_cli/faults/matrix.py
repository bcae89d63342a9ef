"""All trials of all kinds: one graph serves many, and a new one is launched where a fault has ended the last."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np

from tactus_cli.faults import trial
from tactus_cli.faults.graph import Graph, running_graph
from tactus_cli.faults.kinds import BY_ITSELF, RELAUNCH, Kind
from tactus_cli.faults.limits import Limits
from tactus_cli.faults.trial import Trial
from tactus_core.errors import DeviceError
from tactus_core.guard.config import GuardConfig
from tactus_core.kinematics import Kinematics
from tactus_core.types import RobotDescription

_BEFORE_S, _AFTER_S, _RESET_S, _LAUNCH_S = 1.3, 0.5, 3.0, 12.0
_TRIES = 3

Start = Callable[[Kind], contextlib.AbstractContextManager[Graph]]


@dataclass
class Matrix:
    """Runs trials. verdicts: how many the tap has seen; missed: how many more the guard has counted, by the kind of fault.

    launches: how many graphs were started. remarks: why a graph had to be given up.
    """

    start: Start
    robot: RobotDescription
    guard: GuardConfig
    seed: int
    launches: int = 0
    verdicts: int = 0
    missed: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._kinematics = Kinematics(self.robot)
        low, high = self._kinematics.hand_low_rad, self._kinematics.hand_high_rad
        self._limits = Limits.of(self.guard, np.array([low, high]))

    def run(self, kinds: Sequence[Kind], trials: int) -> Iterator[tuple[Kind, Trial]]:
        """Yield each trial as it ends; no process outlives the iteration. Raises DeviceError where the graph does not come to motion."""
        for _, group in groupby(kinds, key=lambda kind: dict(kind.arguments)):
            waiting = [(kind, number) for kind in group for number in range(trials)]
            failures = 0
            while waiting:
                done = 0
                try:
                    for row in self._one_graph(waiting):
                        done += 1
                        yield row
                except DeviceError as error:
                    self.remarks.append(f"{waiting[done][0].name if done < len(waiting) else 'end'}: {error}")
                    failures = failures + 1 if done == 0 else 0
                    if failures == _TRIES:
                        raise
                del waiting[:done]

    def _one_graph(self, waiting: Sequence[tuple[Kind, int]]) -> Iterator[tuple[Kind, Trial]]:
        """Yield trials for as long as one graph serves."""
        self.launches += 1
        with self.start(waiting[0][0]) as graph:
            try:
                for kind, number in waiting:
                    before = graph.counted.missed
                    result = trial.run(kind, graph, self.seed, number, self._limits, self._kinematics.tcp_pose)
                    self.missed[kind.name] += graph.counted.missed - before
                    if result.complaint:
                        self.remarks.append(f"{kind.name}, trial {number}, not as specified: {result.complaint}")
                    yield kind, result
                    if not result.usable:
                        return
            finally:
                self.verdicts += graph.counted.seen


def estimate_s(kinds: Sequence[Kind], trials: int) -> float:
    """Return about how long the trials of `kinds` take."""
    total_s = _LAUNCH_S
    for kind in kinds:
        each_s = _BEFORE_S + kind.watch_s + kind.after_s + _AFTER_S + (_RESET_S if kind.recovery != BY_ITSELF else 0.0)
        if kind.recovery == RELAUNCH:
            each_s += _LAUNCH_S
        if kind.name.startswith("kill"):
            each_s += _RESET_S
        total_s += trials * each_s
    return total_s


def launcher(
    file: Path, arguments: Mapping[str, str], robot: RobotDescription, realtime: bool, folder: Path, environment: Mapping[str, str]
) -> Start:
    """Return what launches a graph for a kind of fault, each with logs of its own below `folder`."""
    count = 0

    def start(kind: Kind) -> contextlib.AbstractContextManager[Graph]:
        nonlocal count
        count += 1
        logs = folder / "logs" / f"{count:03d}"
        values = {**arguments, "run": "true", "realtime": str(realtime).lower(), **kind.arguments}
        if values.get("record") == "true":
            values["folder"] = str((logs / "bag").resolve())
        return running_graph(file, values, robot, realtime, logs, environment)

    return start
