"""The ways to make something go wrong. Each returns when it took effect (steady clock), and what lifts it."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from tactus_cli.faults.graph import Graph

Injection = Callable[[Graph, random.Random], tuple[float, Callable[[], object]]]

_HOUR_S = 3600.0
_TAKEOVER_S = 0.6


def nothing() -> Injection:
    """No fault at all: what is found then is found without one."""
    return lambda graph, draw: (time.monotonic(), lambda: None)


def altered(*streams: tuple[str, str]) -> Injection:
    """Messages of streams, altered: (topic, name of an alteration)."""
    return lambda graph, draw: (graph.tap.alter(streams, draw.getrandbits(32)), graph.tap.clear)


def killed(label: str) -> Injection:
    """SIGKILL for a node's process."""

    def inject(graph: Graph, draw: random.Random) -> tuple[float, Callable[[], object]]:
        return _signal(graph.pid(label), signal.SIGKILL), lambda: None

    return inject


def frozen(label: str) -> Injection:
    """SIGSTOP for a node's process, and SIGCONT."""

    def inject(graph: Graph, draw: random.Random) -> tuple[float, Callable[[], object]]:
        pid = graph.pid(label)
        return _signal(pid, signal.SIGSTOP), lambda: _signal(pid, signal.SIGCONT)

    return inject


def clock_step(label: str) -> Injection:
    """The wall clock of a node's process goes an hour ahead or back."""

    def inject(graph: Graph, draw: random.Random) -> tuple[float, Callable[[], object]]:
        at_s = time.monotonic()
        graph.clocks.step(label, draw.choice((-_HOUR_S, _HOUR_S)))
        return at_s, lambda: graph.clocks.step(label, 0.0)

    return inject


def starved(neighbours: int) -> Injection:
    """Busy neighbours on the same cores."""

    def inject(graph: Graph, draw: random.Random) -> tuple[float, Callable[[], object]]:
        command = ("setpriv", "--pdeathsig", "KILL", "--", sys.executable, "-S", "-c", "while True: pass")
        at_s = time.monotonic()
        spinning = [subprocess.Popen(command, stdin=subprocess.DEVNULL) for _ in range(neighbours)]

        def lift() -> None:
            for process in spinning:
                process.kill()
            for process in spinning:
                process.wait()

        return at_s, lift

    return inject


def disk_full(label: str) -> Injection:
    """Nothing more can be written: no file of the process may grow."""

    def inject(graph: Graph, draw: random.Random) -> tuple[float, Callable[[], object]]:
        pid, at_s = graph.pid(label), time.monotonic()
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
        return at_s, lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))

    return inject


def pressed(how: str) -> Injection:
    """The emergency stop, by `topic` or by `service`."""
    return lambda graph, draw: (graph.press() if how == "topic" else graph.stop(), lambda: None)


def cable_pulled() -> Injection:
    """A human moves the robot, and is not heard any more; lifted: they are back, and give control back."""

    def inject(graph: Graph, draw: random.Random) -> tuple[float, Callable[[], object]]:
        graph.tap.human("move")
        graph.sleep(_TAKEOVER_S)
        return graph.tap.human(""), lambda: graph.tap.human("release")

    return inject


def _signal(pid: int, number: int) -> float:
    at_s = time.monotonic()
    os.kill(pid, number)
    return at_s
