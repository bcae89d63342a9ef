"""Switches for what a wire, or the device behind it, can do wrong; each is the share of frames that it strikes."""

import random

from tactus_core.errors import ConfigError

DELAY_S = 0.05
# The wire's, which strike any frame; then the device's own, which an emulator asks for where it has them.
WIRE = {
    "drop": "the frame is not sent",
    "delay": f"it is sent {DELAY_S:g} s later",
    "checksum": "a bit of its checksum is flipped; where UDP or TCP guards it, the receiver's kernel drops it",
    "half": "only its first half is sent",
    "duplicate": "it is sent twice",
    "noise": "random bytes go before it",
}
DEVICE = {
    "stale": "the frame before it is sent again, with its old sequence and content",
    "stuck": "its content and measurement counter stand still, though the stream goes on",
    "saturation": "the device says that its measurement is saturated, or its motor overloaded",
}


class Faults:
    """Which faults strike now; the same seed gives the same run."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self.clear()

    def clear(self) -> None:
        """Switch all off."""
        self._shares = dict.fromkeys((*WIRE, *DEVICE), 0.0)

    def switch(self, name: str, share: float) -> None:
        """Let a fault strike this share of frames; raises ConfigError for an unknown one, or a share outside 0..1."""
        if name not in self._shares or not 0.0 <= share <= 1.0:
            raise ConfigError(f"no fault '{name}' with share {share}; known are {', '.join(self._shares)}, each with a share in 0..1.")
        self._shares[name] = share

    def strikes(self, name: str) -> bool:
        """Return whether a fault strikes this time."""
        return self._random.random() < self._shares[name]

    def on_wire(self, frame: bytes, summed: bool) -> list[tuple[float, bytes]]:
        """Return what becomes of a frame: bytes, and how long after now [s] each are sent. summed: its last two bytes are a checksum."""
        if self.strikes("drop"):
            return []
        if self.strikes("checksum"):
            if not summed:
                return []
            at = len(frame) - self._random.randint(1, 2)
            frame = frame[:at] + bytes([frame[at] ^ 1 << self._random.randrange(8)]) + frame[at + 1 :]
        if self.strikes("half"):
            frame = frame[: len(frame) // 2]
        frames = [frame, frame] if self.strikes("duplicate") else [frame]
        if self.strikes("noise"):
            frames.insert(0, self._random.randbytes(self._random.randint(1, 40)))
        return [(DELAY_S if self.strikes("delay") else 0.0, each) for each in frames]
