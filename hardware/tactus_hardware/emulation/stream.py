"""What every emulator of a device that streams does alike: sends a frame when it is due."""

from abc import ABC, abstractmethod

from tactus_hardware.emulation.emulator import Emulator
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.lines import PtyLine
from tactus_hardware.emulation.servers import TcpLine


class StreamEmulator(Emulator, ABC):
    """A device's own part: `frame`, and `streaming` where it is asked before it streams. `sent`: frames since the start."""

    def __init__(self, faults: Faults, line: PtyLine | TcpLine, period_s: float) -> None:
        super().__init__(faults, line)
        self._line, self._period_s = line, period_s
        self.streaming, self.sent = True, 0
        self._frame, self._next_s = b"", 0.0

    @abstractmethod
    def frame(self) -> bytes:
        """Measure, and return the frame that says so."""

    def come_back(self) -> None:
        """See `Emulator`. It does not remember what it sent."""
        super().come_back()
        self._frame = b""

    def tick(self, now_s: float) -> float:
        """Send the frame that is due."""
        if not self.streaming:
            return super().tick(now_s)
        if now_s >= self._next_s:
            self._next_s = max(self._next_s + self._period_s, now_s)
            if not self._frame or not (self.faults.strikes("stale") or self.faults.strikes("stuck")):
                self._frame = self.frame()
            self.send(self._line.send, self._frame)
            self.sent += 1
        return self._next_s
