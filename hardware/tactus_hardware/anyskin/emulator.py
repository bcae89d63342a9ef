"""Fakes an AnySkin board: its stream, on a pty."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tactus_core.errors import ConfigError
from tactus_hardware.anyskin import protocol
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.lines import PtyLine
from tactus_hardware.emulation.stream import StreamEmulator

_PERIOD_S = 0.0025
_CHIPS = 5
_ROOM_C, _NOISE = 25.0, np.array([0.02, 0.3, 0.3, 0.5])
_SATURATED_uT = 100_000.0


class AnyskinEmulator(StreamEmulator):
    """400 frames per second of five magnetometers, on top of the field of their magnets.

    `set field CHIP Bx By Bz` [uT]: what a touch adds to one of them. `set dead CHIP`: it answers no more, `set stuck CHIP`: from now on
    the board sends the last of it; `set well`: all work.
    """

    SUMMED = False

    def __init__(self, faults: Faults) -> None:
        super().__init__(faults, PtyLine(), _PERIOD_S)
        self._random = np.random.default_rng(0)
        self._rest_uT = self._random.uniform(-2000.0, 2000.0, (_CHIPS, 3))
        self._touch_uT = np.zeros((_CHIPS, 3))
        self._measured = np.zeros((_CHIPS, 4))
        self._dead, self._stuck = np.zeros(_CHIPS, dtype=bool), np.zeros(_CHIPS, dtype=bool)

    def address(self) -> Mapping[str, Any]:
        """See `Emulator`."""
        return {**super().address(), "magnetometers": _CHIPS}

    def frame(self) -> bytes:
        """See `StreamEmulator`."""
        numbers = np.hstack([np.full((_CHIPS, 1), _ROOM_C), self._rest_uT + self._touch_uT]) + self._random.normal(0.0, _NOISE, (_CHIPS, 4))
        numbers[self._dead] = 0.0
        self._measured = np.where(self._stuck[:, None], self._measured, numbers)
        saturated = self.faults.strikes("saturation")
        return protocol.pack_frame(np.where([False, saturated, False, False], _SATURATED_uT, self._measured))

    def set(self, name: str, values: list[float]) -> None:
        """See `Emulator`."""
        match name, values:
            case "field", [chip, *field_uT] if len(field_uT) == 3:
                self._touch_uT[int(chip)] = field_uT
            case "dead", [chip]:
                self._dead[int(chip)] = True
            case "stuck", [chip]:
                self._stuck[int(chip)] = True
            case "well", []:
                self._dead[:] = self._stuck[:] = False
            case _:
                raise ConfigError(
                    f"an AnySkin emulator cannot set {name} to {values}; it knows field (4 numbers), dead, stuck (1), well (0)."
                )

    def state(self) -> Mapping[str, Any]:
        """See `Emulator`."""
        return {"sent": self.sent, "rest_uT": self._rest_uT.tolist()}


make = AnyskinEmulator
