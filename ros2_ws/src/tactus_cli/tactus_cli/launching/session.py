"""A running launch file, as a context.

    with Launched("launch/sim.launch.xml", {"seed": "3"}, folder=Path("runs/demo/logs")) as graph:
        while not done() and not graph.wait(0.1):
            ...
        graph.check()

Inside the context the processes run; on leaving it, however it is left, they are shut down, and none is left.
"""

import asyncio
import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tactus_cli.launching import plan
from tactus_cli.launching.process import Process
from tactus_cli.launching.running import Runner, Running
from tactus_core.errors import DeviceError

_LAST_LINES = 15
_RUNS = Path("runs/launch")


def _silent(_: str) -> None:
    pass


def _new_folder() -> Path:
    _RUNS.mkdir(parents=True, exist_ok=True)
    # Two may be launched in the same second.
    return Path(tempfile.mkdtemp(prefix=time.strftime("%Y-%m-%d_%H-%M-%S_"), dir=_RUNS))


def _unaltered(process: Process) -> Process:
    return process


class Launched:
    """A launch file and its processes, which run in a thread of their own.

    Args:
        file: an XML launch file.
        arguments: its launch arguments.
        folder: takes one log per process, `<label>-<number>.log`, and the parameter files; default: a new one in runs/launch.
        environment: of the processes; default: that of this one.
        say: called with each line for the screen, from the thread of the processes; default: none are shown.
        alter: called with each process of the plan before any is started; what it returns is run in its place.

    Raises:
        ConfigError: the launch file or its arguments are wrong; nothing has been started then.
    """

    def __init__(
        self,
        file: str | Path,
        arguments: Mapping[str, str] | None = None,
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        say: Callable[[str], None] = _silent,
        alter: Callable[[Process], Process] = _unaltered,
    ) -> None:
        self.folder = folder or _new_folder()
        steps = plan.make(Path(file), arguments or {}, os.environ if environment is None else environment, self.folder)
        self._runner = Runner([alter(step) if isinstance(step, Process) else step for step in steps], self.folder, say)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="launch", daemon=True)
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.shutdown("done")
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    @property
    def processes(self) -> Sequence[Running]:
        """The processes, in the order of the file."""
        return self._runner.processes

    @property
    def exit_codes(self) -> dict[str, int | None]:
        """Exit code by `<label>-<number>`; None while it runs, negative for a signal."""
        return {running.name: running.exit_code for running in self.processes}

    def running(self, label: str) -> list[Running]:
        """Return the processes with this label: a node's executable, or the name of an `executable`."""
        return [running for running in self.processes if running.process.label == label]

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until every process has ended; return whether they have."""
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        # In short waits: a signal handler of Python runs between them, and not during one.
        while self._thread.is_alive() and (deadline_s is None or time.monotonic() < deadline_s):
            self._thread.join(0.05 if deadline_s is None else min(0.05, max(0.0, deadline_s - time.monotonic())))
        return not self._thread.is_alive()

    def shutdown(self, reason: str) -> None:
        """Begin to end all processes; `wait`, or leaving the context, sees the end of it."""
        if self._thread.is_alive():
            try:
                self._loop.call_soon_threadsafe(self._runner.shutdown, reason)
            except RuntimeError:  # the loop has closed in between: everything has ended
                return

    def check(self) -> None:
        """Raise DeviceError, with the last lines of its log, if a process has ended with an error."""
        for running in self.processes:
            if running.ended and running.exit_code:
                lines = running.log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
                raise DeviceError(
                    f"{running.name} ended with exit code {running.exit_code} while the graph was running; its log is {running.log}. "
                    "Its last lines: " + " | ".join(line.strip() for line in lines)
                )

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._runner.run())
        except BaseException as error:
            self._failure = error
        finally:
            self._loop.close()
