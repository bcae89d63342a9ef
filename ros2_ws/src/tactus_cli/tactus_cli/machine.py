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
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tactus_core.errors import DeviceError
from tactus_nodes.timing import Samples, Schedule

_PERIOD_S = 0.01
_PRIORITY = 80
_MOST = 1 << 19  # an hour and a half
_PATIENCE_S = 10.0


class BareTimer:
    """A context: the timer runs in it. `summary` ends it and returns p50, p99, max [ms], count, and whether it had real-time scheduling."""

    def __init__(self, realtime: bool) -> None:
        self._priority = str(_PRIORITY if realtime else 0)

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tactus_cli.machine", self._priority]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self._process.stdout is not None:
            self._process.stdout.readline()  # it waits for its first deadline from here on
        return self

    def summary(self) -> dict[str, Any]:
        """Return what it found; raises DeviceError where it died."""
        text, _ = self._process.communicate(timeout=_PATIENCE_S)
        if not text:
            code = self._process.returncode
            raise DeviceError(f"the timer beside the graph ended with {code} and said nothing. Look above for its error.")
        return dict(json.loads(text))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()


def stolen_and_all_s() -> tuple[float, float]:
    """Return how long the host ran something else while this machine's cores wanted to run, and how long all cores have existed [s]."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return ticks[7] / 100.0, sum(ticks) / 100.0


def _run(priority: int) -> dict[str, Any]:
    """Wake up every 10 ms until the standard input ends."""
    realtime = priority > 0
    if realtime:
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
        except PermissionError:
            realtime = False
    print("ready", flush=True)
    lateness, schedule = Samples(_MOST), Schedule(_PERIOD_S, due_s := time.monotonic() + _PERIOD_S)
    while not select.select([sys.stdin], [], [], 0)[0]:
        time.sleep(max(0.0, due_s - time.monotonic()))
        late_s, missed = schedule.tick(time.monotonic())
        lateness.add(late_s * 1e3)
        due_s += (1 + missed) * _PERIOD_S
    found = lateness.summary()
    return {key: found[key] for key in ("count", "p50", "p99", "max")} | {"realtime": realtime}


if __name__ == "__main__":
    print(json.dumps(_run(int(sys.argv[1]))))
