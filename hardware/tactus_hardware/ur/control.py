"""The driver's end of the process that moves the robot: starts it, talks to it, and ends it; no call here takes long."""

import contextlib
import dataclasses
import json
import socket
import subprocess
import sys
import time

from tactus_core.types import Array
from tactus_hardware.ur.config import UrConfig
from tactus_hardware.ur.link import ALIVE, FAILED, NOTHING, pack, received

_STARTING = "the robot's control program is being started; does that last, check on the teach pendant that it is in remote control"
_HANG_S = 1.0
_END_S, _KILLED_S = 0.15, 0.05


class Control:
    """`trouble`: why the robot cannot be moved now; empty: it can."""

    def __init__(self, config: UrConfig) -> None:
        self.trouble = _STARTING
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        self._due_s = self._wait_s = self._told_s = 0.0

    def tend(self, measured_rad: Array, may_start: bool) -> None:
        """Hear what the process says, and give it a sign of life. Starts it where it is not there, may be, and it is time to."""
        now_s = time.monotonic()
        if self._link is None:
            if may_start and now_s >= self._due_s:
                self._start()
            return
        messages, there = received(self._link)
        failure = b""
        for message in messages:
            if message == ALIVE:
                self.trouble, self._told_s, self._wait_s = "", now_s, 0.0
            failure = message.removeprefix(FAILED) if message.startswith(FAILED) else failure
        if failure or not there:
            self._lose(f"ur-rtde: {failure.decode(errors='replace') or 'its process has ended'}")
        elif not self.trouble and now_s - self._told_s > _HANG_S:
            self._lose(f"ur-rtde: its process has been silent for {_HANG_S} s")
        self.send(NOTHING, measured_rad)

    def send(self, target_rad: Array, measured_rad: Array) -> None:
        """Pass on a target, or a sign of life. What finds no room is dropped: the next one is newer."""
        if self._link is not None:
            with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):  # that it has gone is heard by `tend`
                self._link.send(pack(target_rad, measured_rad), socket.MSG_DONTWAIT)

    def end(self) -> None:
        """Have the process stop the robot and end by itself, which takes it a moment; one that hangs ends itself after a while."""
        self._hang_up(_END_S)
        self.trouble = _STARTING

    def _start(self) -> None:
        self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        settings = json.dumps(dataclasses.asdict(self._config))
        with theirs:
            command = [sys.executable, "-m", "tactus_hardware.ur.servo", str(theirs.fileno()), settings]
            # What ur-rtde prints would mix with the output of a node.
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )

    def _lose(self, why: str) -> None:
        if self._process is not None:
            self._process.kill()  # the robot's own watchdog stops it
        self._hang_up(_KILLED_S)
        self.trouble = why
        self._wait_s = min(max(2.0 * self._wait_s, self._config.retry_first_s), self._config.retry_longest_s)
        self._due_s = time.monotonic() + self._wait_s

    def _hang_up(self, limit_s: float) -> None:
        if self._link is not None:
            self._link.close()
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(limit_s)
        self._link = self._process = None
