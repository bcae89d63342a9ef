"""The tap's other end: starts the process, gives its orders, fetches what it kept."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from multiprocessing.connection import Pipe
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tactus_cli.faults.records import TAPPED, Record, tapped, unpack
from tactus_cli.launching.process import Process
from tactus_core.errors import DeviceError

_START_S = 30.0
_ANSWER_S = 5.0


class Tapping:
    """A running tap, as a context; every method raises DeviceError where the tap does not answer.

    robot: by its entry point. realtime: SCHED_FIFO priority; 0: none. log: takes what the process prints.
    """

    def __init__(self, robot: str, realtime: int, environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        self._connection, theirs = Pipe()
        options = json.dumps({"connection": theirs.fileno(), "robot": robot, "realtime": realtime})
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                ("setpriv", "--pdeathsig", "KILL", "--", sys.executable, "-m", __name__.replace("tapping", "tap"), options),
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        theirs.close()

    def __enter__(self) -> Self:
        self._answer(_START_S)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()
        self._process.kill()
        self._process.wait()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def alter(self, streams: Sequence[tuple[str, str]], seed: int) -> float:
        """Alter streams, as (topic, name of an alteration), from now on; return the steady time at which it began."""
        return float(self._order("alter", streams=streams, seed=seed))

    def clear(self) -> float:
        """Relay everything as it is; return since when."""
        return float(self._order("clear"))

    def human(self, mode: str) -> float:
        """Let the human do something (see `Human.mode`); return since when."""
        return float(self._order("human", mode=mode))

    def records(self) -> Iterator[Record]:
        """Yield what has been kept since the last call."""
        return unpack(self._order("records"))

    def _order(self, order: str, **arguments: Any) -> bytes:
        with contextlib.suppress(OSError):  # `_answer` says so
            self._connection.send_bytes(json.dumps({"order": order, **arguments}).encode())
        return self._answer(_ANSWER_S)

    def _answer(self, timeout_s: float) -> bytes:
        try:
            if self._connection.poll(timeout_s):
                return self._connection.recv_bytes()
        except (EOFError, OSError):
            pass
        last = " | ".join(self._log.read_text(errors="replace").splitlines()[-5:])
        raise DeviceError(
            f"the tap did not answer within {timeout_s:.0f} s; expected it to relay the sensors. Its log {self._log} ends: {last}"
        )


def through_tap(process: Process) -> Process:
    """Return the process with its tapped streams remapped to the tap."""
    remaps = [word for topic in TAPPED.get(process.label, ()) for word in ("-r", f"{topic.name}:={tapped(topic)}")]
    return replace(process, command=(*process.command, *remaps))
