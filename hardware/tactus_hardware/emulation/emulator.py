"""The loop of an emulator. One thread; what can be read is handled, what is due is sent."""

import heapq
import itertools
import json
import os
import select
import stat
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tactus_core.errors import ConfigError, TactusError
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.lines import Line

_LONGEST_WAIT_S = 0.05
Send = Callable[[bytes], None]


class Emulator:
    """A device's own part: its lines and what it answers on them, what it does on a tick, and what it tells of itself.

    It is steered by lines on standard input, each answered by one line of JSON on standard output:
    `fault NAME SHARE`, `clear`, `disconnect SECONDS`, `set NAME VALUES...`, `state`. It ends with its standard input.
    """

    SUMMED: ClassVar[bool]  # whether its frames end in a checksum of their own
    ORDERED: ClassVar[bool] = True  # whether what is sent late holds up what comes after it

    def __init__(self, faults: Faults, *lines: Line) -> None:
        self.faults, self._lines = faults, lines
        self._steering = b""
        self._due: list[tuple[float, int, Send, bytes]] = []
        self._numbers = itertools.count()
        self._answered: dict[Send, bytes] = {}
        self._back_s = float("inf")

    def address(self) -> Mapping[str, Any]:
        """Return the driver's parameters that lead here."""
        return {name: value for line in self._lines for name, value in line.address().items()}

    def files(self) -> Mapping[int, Callable[[], None]]:
        """Return what to call when a file descriptor can be read."""
        return {file: call for line in self._lines for file, call in line.files().items() if file >= 0}

    def hang_up(self) -> None:
        """Vanish, as if the cable were pulled."""
        for line in self._lines:
            line.close()

    def come_back(self) -> None:
        """Be there again, as after power-up, at the same address."""
        self._answered.clear()
        for line in self._lines:
            line.open()

    def play(self, recording: Path) -> None:
        """Feel or see from now on what was recorded, again and again; raises ConfigError where the device plays none."""
        raise ConfigError(f"{type(self).__name__} plays no recording, {recording} neither. Leave out --play.")

    def tick(self, now_s: float) -> float:
        """Do what is due at `now_s`; return when to be called next."""
        return now_s + _LONGEST_WAIT_S

    def set(self, name: str, values: list[float]) -> None:
        """Change something of the emulated device; raises ConfigError for an unknown name."""
        raise ConfigError(f"{type(self).__name__} knows nothing called '{name}' that could be set.")

    def state(self) -> Mapping[str, Any]:
        """Return what an observer of the device would see."""
        return {}

    def goal_rad(self) -> Sequence[float]:
        """Return where the joints are sent, in the driver's order and units; empty for a device that nobody moves."""
        return ()

    def send(self, send: Send, frame: bytes, summed: bool | None = None) -> None:
        """Send a frame, as far as the faults let it. summed: where it goes out on another wire than most."""
        now_s = time.monotonic()
        for delay_s, data in self.faults.on_wire(frame, self.SUMMED if summed is None else summed):
            due_s = now_s + delay_s
            if self.ORDERED and self._due:
                due_s = max(due_s, max(self._due)[0])
            if due_s > now_s:
                heapq.heappush(self._due, (due_s, next(self._numbers), send, data))
            else:
                send(data)

    def answer(self, send: Send, frame: bytes, summed: bool | None = None) -> None:
        """Send an answer, as far as the faults let it; where it is stale, the one before on that line is sent again, as it was."""
        last = self._answered.get(send, frame)
        self._answered[send] = frame
        self.send(send, last if self.faults.strikes("stale") else frame, summed)

    def run(self, log: Path | None = None) -> None:
        """Print the address, then serve until standard input ends. log: where to write each new goal, see `goal_rad`."""
        goals = None if log is None else log.open("w", buffering=1)
        last: Sequence[float] | None = None
        self._tell(self.address())
        steering = {sys.stdin.fileno(): self._steer} if _steered() else {}
        wake_s = 0.0
        while True:
            readers = {**self.files(), **steering}
            ready, _, _ = select.select(list(readers), [], [], max(0.0, min(wake_s, self._next_due_s()) - time.monotonic()))
            for file in ready:
                # Handling one may close another.
                if file in steering or file in self.files():
                    readers[file]()
            if time.monotonic() >= self._back_s:
                self._back_s = float("inf")
                self.come_back()
            now_s = time.monotonic()
            while self._due and self._due[0][0] <= now_s:
                _, _, send, data = heapq.heappop(self._due)
                send(data)
            wake_s = self.tick(now_s)
            if goals is not None and (goal_rad := self.goal_rad()) != last:
                last = goal_rad
                goals.write(f"{time.monotonic():.6f} {' '.join(f'{angle:.6f}' for angle in goal_rad)}\n")

    def _next_due_s(self) -> float:
        return min(self._back_s, self._due[0][0] if self._due else float("inf"))

    def _steer(self) -> None:
        data = os.read(sys.stdin.fileno(), 4096)
        if not data:
            raise SystemExit(0)
        *lines, self._steering = (self._steering + data).split(b"\n")
        for line in lines:
            try:
                self._tell(self._obey(*line.decode().split()))
            except (TactusError, ValueError, TypeError, LookupError) as error:
                self._tell({"error": f"'{line.decode()}' was not understood: {error}"})

    def _obey(self, verb: str, *words: str) -> Mapping[str, Any]:
        if verb == "fault":
            self.faults.switch(words[0], float(words[1]))
        elif verb == "clear":
            self.faults.clear()
        elif verb == "disconnect":
            self._due.clear()
            self.hang_up()
            self._back_s = time.monotonic() + float(words[0])
        elif verb == "set":
            self.set(words[0], [float(word) for word in words[1:]])
        elif verb != "state":
            raise ConfigError(f"an emulator was told '{verb}'; it knows fault, clear, disconnect, set and state.")
        return self.state()

    @staticmethod
    def _tell(what: Mapping[str, Any]) -> None:
        print(json.dumps(what), flush=True)


def _steered() -> bool:
    """Return whether standard input is a terminal, a pipe or a socket; /dev/null, as launchers give it, steers nothing and ends nothing."""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    return os.isatty(sys.stdin.fileno()) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
