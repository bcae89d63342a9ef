"""Fakes a RealSense behind its library: frames for librealsense's software device, which the driver makes in its own process.

USB is not faked. What is faked is what the camera says: images, numbers, stamps and their domain.
"""

import itertools
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tactus_core.errors import ConfigError
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.servers import TcpLine
from tactus_hardware.emulation.stream import StreamEmulator
from tactus_hardware.optical.emulator import gel, noisy
from tactus_hardware.ports import Image
from tactus_hardware.realsense.protocol import SCHEME, Injected, pack
from tactus_hardware.realsense.sources import RATE_Hz

_WIDTH_PX, _HEIGHT_PX = 320, 240
_OWN, _GLOBAL = 0, 2
# Where the camera's own clock stands when it is switched on.
_BEGAN_S = 1000.0


class RealSenseEmulator(StreamEmulator):
    """60 frames per second of 320 × 240 pixels with noise, stamped in global time.

    `set press X Y STRENGTH`: a spot, see `gel`. `set lag SECONDS`: what passes from capture to sending. `set domain NUMBER`: 0 stamps by
    its own clock, 1 system time, 2 global time. `set off SECONDS`: what its stamps are wrong by.
    """

    SUMMED = False

    def __init__(self, faults: Faults) -> None:
        super().__init__(faults, TcpLine(self._take, self._greet), 1.0 / RATE_Hz)
        self.streaming = False
        self._number, self._domain, self._lag_s, self._off_s = 0, _GLOBAL, 0.0, 0.0
        self._white = np.full((_HEIGHT_PX, _WIDTH_PX, 3), 255, dtype=np.uint8)
        self._show((0.5, 0.5, 0.0))

    def address(self) -> Mapping[str, Any]:
        """See `Emulator`."""
        place = super().address()
        camera = f"{SCHEME}{place['host']}:{place['port']}"
        return {"camera": camera, "width_px": _WIDTH_PX, "height_px": _HEIGHT_PX, "rate_Hz": RATE_Hz}

    def hang_up(self) -> None:
        """See `Emulator`."""
        super().hang_up()
        self.streaming = False

    def frame(self) -> bytes:
        """See `StreamEmulator`."""
        self._number += 1
        image = self._white if self.faults.strikes("saturation") else next(self._images)
        clock_s = time.monotonic() + _BEGAN_S if self._domain == _OWN else time.time()
        return pack(Injected(self._number, 1e3 * (clock_s - self._lag_s + self._off_s), self._domain, image))

    def set(self, name: str, values: list[float]) -> None:
        """See `Emulator`."""
        match name, values:
            case "press", [x, y, strength]:
                self._show((x, y, strength))
            case "lag", [seconds]:
                self._lag_s = seconds
            case "off", [seconds]:
                self._off_s = seconds
            case "domain", [number]:
                self._domain = int(number)
            case _:
                raise ConfigError(f"an emulated RealSense cannot set {name} to {values}; it knows press (3 numbers), lag, off and domain.")

    def state(self) -> Mapping[str, Any]:
        """See `Emulator`."""
        return {"streaming": self.streaming, "sent": self.sent}

    def _show(self, press: tuple[float, float, float]) -> None:
        self._images: Iterator[Image] = itertools.cycle(list(noisy(gel(_WIDTH_PX, _HEIGHT_PX, press))))

    def _greet(self) -> None:
        self.streaming = True

    def _take(self, data: bytes) -> None:
        if not data:
            self.streaming = False


make = RealSenseEmulator
