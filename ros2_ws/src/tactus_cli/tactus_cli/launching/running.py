"""Runs the processes of a plan: output, respawn, and an end that leaves none behind."""

import asyncio
import contextlib
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tactus_cli.launching.plan import Log, Shutdown, Step
from tactus_cli.launching.process import Process

# How long the pipes of an ended process are read on, should a process outside of its group still hold them.
_DRAIN_S = 1.0
# A runner that was killed before setpriv had asked for the signal will never cause it: who has another parent by then does not start.
_UNLESS_ORPHANED = '[ "$PPID" = "$0" ] && exec "$@"'


@dataclass
class Running:
    """One process of a running graph. `exit_code` is None while it runs; negative: the signal that ended it; starts counts respawns too."""

    name: str
    process: Process
    log: Path
    pid: int | None = None
    exit_code: int | None = None
    starts: int = 0
    ended: bool = False


class Runner:
    """Runs steps in the asyncio loop of one thread, which has to outlive all processes: they die with the thread that started them."""

    def __init__(self, steps: Sequence[Step], folder: Path, say: Callable[[str], None]) -> None:
        """`folder` takes the logs; `say` shows a line on the screen."""
        self.steps = steps
        self.folder = folder
        self.say = say
        self.processes: list[Running] = []
        self._shutdown = asyncio.Event()
        for step in steps:
            if isinstance(step, Shutdown):
                break
            if isinstance(step, Process):
                name = f"{step.label}-{len(self.processes) + 1}"
                self.processes.append(Running(name, step, folder / f"{name}.log"))

    async def run(self) -> None:
        """Return when every process has ended, by itself or by `shutdown`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        waiting = iter(self.processes)
        tasks = []
        for step in self.steps:
            if isinstance(step, Log):
                self.say(f"[INFO] [launch.user]: {step.message}")
            elif isinstance(step, Shutdown):
                self.shutdown(step.reason)
                break
            else:
                tasks.append(asyncio.ensure_future(self._keep(next(waiting))))
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    def shutdown(self, reason: str) -> None:
        """End all processes: SIGINT, then SIGTERM, then SIGKILL, each after its time. Call it in the loop's thread."""
        if not self._shutdown.is_set():
            self.say(f"[INFO] [launch]: shutting down: {reason}")
            self._shutdown.set()

    async def _keep(self, running: Running) -> None:
        """Start a process, and start it again for as long as it is to be respawned."""
        process = running.process
        try:
            while not self._shutdown.is_set():
                await self._once(running)
                if process.shutdown_on_exit:
                    self.shutdown(f"{running.name} ended")
                retries_left = process.respawn_max_retries < 0 or running.starts <= process.respawn_max_retries
                if not process.respawn or not retries_left:
                    break
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._shutdown.wait(), process.respawn_delay_s)
        except BaseException as error:  # such as a working directory that is gone: the others must not run on without it
            self.shutdown(f"{running.name} could not be run: {error}")
            raise
        finally:
            running.ended = True

    async def _once(self, running: Running) -> None:
        process = running.process
        running.starts += 1
        # setpriv: the process gets SIGKILL when this thread dies, however it dies. Its own session: it is signalled from here alone,
        # and so is whatever it starts.
        child = subprocess.Popen(
            ("setpriv", "--pdeathsig", "KILL", "--", "sh", "-c", _UNLESS_ORPHANED, str(os.getpid()), *process.command),
            cwd=process.cwd,
            env=dict(process.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        streams = (("stdout", child.stdout), ("stderr", child.stderr))
        running.pid, running.exit_code = child.pid, None
        self.say(f"[INFO] [{running.name}]: process started with pid [{child.pid}]")
        with running.log.open("ab") as log:
            log.write(f"$ {shlex.join(process.command)}\n".encode())
            outputs = [await self._copy(running, name, stream, log.write) for name, stream in streams]
            ending = asyncio.ensure_future(self._end_on_shutdown(child.pid, running))
            exit_code = await _exit_code(child)
            ending.cancel()
            _signal_group(child.pid, signal.SIGKILL)  # what it started and left behind
            await asyncio.wait([output.ended for _, output in outputs], timeout=_DRAIN_S)
            for transport, _ in outputs:
                transport.close()
        self._report(running, exit_code)
        running.exit_code = exit_code

    async def _copy(
        self, running: Running, name: str, stream: IO[bytes] | None, write: Callable[[bytes], int]
    ) -> "tuple[asyncio.ReadTransport, _Output]":
        show = (lambda line: self.say(f"[{running.name}] {line}")) if name in running.process.screen else None
        return await asyncio.get_running_loop().connect_read_pipe(lambda: _Output(write, show), stream)

    def _report(self, running: Running, exit_code: int) -> None:
        if exit_code == 0 or (self._shutdown.is_set() and exit_code in (-signal.SIGINT, 128 + signal.SIGINT)):
            self.say(f"[INFO] [{running.name}]: process has finished cleanly [pid {running.pid}]")
        else:
            command = shlex.join(running.process.command)
            self.say(f"[ERROR] [{running.name}]: process has died [pid {running.pid}, exit code {exit_code}, cmd '{command}'].")

    async def _end_on_shutdown(self, pid: int, running: Running) -> None:
        await self._shutdown.wait()
        _signal_group(pid, signal.SIGINT)
        for timeout_s, number in ((running.process.sigterm_timeout_s, signal.SIGTERM), (running.process.sigkill_timeout_s, signal.SIGKILL)):
            began = time.monotonic()
            await asyncio.sleep(timeout_s)
            self.say(f"[ERROR] [{running.name}]: did not end within {time.monotonic() - began:.1f} s; sending {number.name}")
            _signal_group(pid, number)


class _Output(asyncio.Protocol):
    """Copies a stream to a log, and line by line to the screen."""

    def __init__(self, write: Callable[[bytes], int], show: Callable[[str], None] | None) -> None:
        self.write = write
        self.show = show
        self.rest = b""
        self.ended = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.write(data)
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.line(line)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.rest:
            self.line(self.rest)
        self.ended.set_result(None)

    def line(self, line: bytes) -> None:
        if self.show is not None:
            self.show(line.decode(errors="replace"))


async def _exit_code(child: subprocess.Popen[bytes]) -> int:
    """Wait for the process itself, whoever holds its pipes."""
    descriptor = os.pidfd_open(child.pid)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    await ended.wait()
    loop.remove_reader(descriptor)
    os.close(descriptor)
    return child.wait()


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
