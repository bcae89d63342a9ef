"""What a machine gives to anybody: how late a bare timer beside the graph comes, and how much time the host takes away.

Run as a program it is that timer: no ROS, nothing else to do, before everything else in the order of scheduling where that is granted.
Whatever makes it late is not in Tactus, unless that is a process of the same priority.
"""

import json
import os
import select
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tactus_core.errors import DeviceError
from tactus_nodes.timing import Samples, Schedule, epoch_ns

_PERIOD_S = 0.01
_CORE_PERIOD_S = 0.002
_STALL_S = 0.001
_PRIORITY = 80
_MOST = 1 << 19  # an hour and a half
_PATIENCE_S = 10.0


class BareTimer:
    """A context: the timer runs in it. `summary` ends it and returns p50, p99, max [ms], count, and whether it had real-time scheduling.

    core: the only one that it runs on; default: any.
    stalls: from when to when it waited for more than a millisecond, by the steady clock [s]; once it has ended.
    """

    def __init__(self, realtime: bool, period_s: float = _PERIOD_S, core: int | None = None) -> None:
        self._arguments = [str(_PRIORITY if realtime else 0), str(period_s), *([] if core is None else [str(core)])]

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tactus_cli.machine", *self._arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self._process.pid
        if self._process.stdout is not None:
            self._process.stdout.readline()  # it waits for its first deadline from here on
        return self

    def summary(self) -> dict[str, Any]:
        """Return what it found; raises DeviceError where it died."""
        text, _ = self._process.communicate(timeout=_PATIENCE_S)
        if not text:
            code = self._process.returncode
            raise DeviceError(f"the timer beside the graph ended with {code} and said nothing. Look above for its error.")
        found = json.loads(text)
        self.stalls: list[tuple[float, float]] = found.pop("stalls")
        return dict(found)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()


class Cores:
    """A context: a bare timer on each core, with real-time scheduling."""

    def __enter__(self) -> Self:
        with ExitStack() as begun:
            self._timers = [begun.enter_context(BareTimer(True, _CORE_PERIOD_S, core)) for core in sorted(os.sched_getaffinity(0))]
            self._begun = begun.pop_all()
        return self

    def stalls(self) -> list[tuple[float, float]] | None:
        """End the timers; return when a core was to be had by nobody, whatever his priority, by the wall clock [s].

        None: nobody knows, since real-time scheduling was refused.
        """
        if not all([timer.summary()["realtime"] for timer in self._timers]):
            return None
        epoch_s = epoch_ns() * 1e-9
        return sorted((epoch_s + from_s, epoch_s + to_s) for each in self._timers for from_s, to_s in each.stalls)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._begun.__exit__(kind, error, trace)


def stolen_and_all_s() -> tuple[float, float]:
    """Return how long the host ran something else while this machine's cores wanted to run, and how long all cores have existed [s]."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return ticks[7] / 100.0, sum(ticks) / 100.0


def _run(priority: int, period_s: float, *cores: int) -> dict[str, Any]:
    """Wake up every `period_s` until the standard input ends."""
    realtime = priority > 0
    if cores:
        os.sched_setaffinity(0, cores)
    if realtime:
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
        except PermissionError:
            realtime = False
    lateness, schedule = Samples(_MOST), Schedule(period_s, due_s := time.monotonic() + period_s)
    stalls = []
    print("ready", flush=True)  # after the first deadline is set: who was told so may stop this machine at once
    ended = False
    while not ended:
        ended = bool(select.select([sys.stdin], [], [], 0)[0])  # before the wait: a stall that the end came in is told
        time.sleep(max(0.0, due_s - time.monotonic()))
        late_s, missed = schedule.tick(time.monotonic())
        lateness.add(late_s * 1e3)
        if late_s > _STALL_S:
            stalls.append((due_s, due_s + late_s))
        due_s += (1 + missed) * period_s
    found = lateness.summary()
    return {key: found[key] for key in ("count", "p50", "p99", "max")} | {"realtime": realtime, "stalls": stalls}


if __name__ == "__main__":
    print(json.dumps(_run(int(sys.argv[1]), float(sys.argv[2]), *map(int, sys.argv[3:]))))
