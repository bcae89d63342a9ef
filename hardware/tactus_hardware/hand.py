"""What every driver of a hand does alike: checks and clips commands, and holds the measured posture when they stop."""

import time
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from tactus_core.config import param
from tactus_core.errors import DataError, DeviceError
from tactus_core.types import Array
from tactus_hardware.driver import Driver, DriverConfig
from tactus_hardware.ports import HandState, Reading


@dataclass(frozen=True, kw_only=True)
class HandConfig(DriverConfig):
    """What every driver of a hand takes."""

    command_timeout_s: float = param(0.1, low=0.01, high=1.0, doc="Silence of commands after which the measured posture is held.")


class HandDriver(Driver[HandState]):
    """Implements `Hand`. `_fault`: what the hand says is wrong with it; while it says so, it holds and takes no command."""

    def __init__(self, name: str, config: HandConfig, limits_rad: Array) -> None:
        """limits_rad: (joints, 2) lowest and highest position."""
        super().__init__(name, config)
        self._command_timeout_s, self._limits_rad = config.command_timeout_s, limits_rad
        self._commanded_s: float | None = None
        self._fault = ""

    def read(self, timeout_s: float) -> Reading[HandState] | None:
        """See `Sensor`. Holds the posture that was just measured when the last command is too old."""
        reading = super().read(timeout_s)
        if not self.health.connected:
            self._commanded_s = None  # a command before the break is none after it
        elif reading is not None and self._lapsed():
            self._commanded_s = None
            self._hold(reading.value)
        return reading

    def command(self, position_rad: Array) -> Array | None:
        """See `Hand`."""
        joints = len(self._limits_rad)
        wanted = np.asarray(position_rad, dtype=np.float64)
        if wanted.shape != (joints,) or not np.isfinite(wanted).all():
            raise DataError(f"{self._name} was asked for {position_rad!r}; expected {joints} finite joint positions [rad].")
        if not self.health.connected or self._fault:
            return None
        sent = np.clip(wanted, *self._limits_rad.T)
        if not self._send(sent):
            return None
        self._commanded_s = time.monotonic()
        return sent

    @abstractmethod
    def _write(self, position_rad: Array) -> None:
        """Make these positions the hand's goal; raises OSError or DeviceError."""

    def _hold(self, state: HandState) -> None:
        """Make a hand whose commands stopped stay as it was just measured."""
        self._send(state.position_rad)

    def _warning(self) -> str:
        return self._fault or ("" if self._commanded_s is not None else "no fresh command: holding the measured posture")

    def _lapsed(self) -> bool:
        if self._commanded_s is None:
            return False
        return bool(self._fault) or time.monotonic() - self._commanded_s > self._command_timeout_s

    def _send(self, position_rad: Array) -> bool:
        try:
            self._write(position_rad)
        except (OSError, DeviceError) as error:
            self._lose(str(error))
        return self.health.connected
