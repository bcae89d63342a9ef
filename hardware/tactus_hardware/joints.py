"""What every driver of a hand or an arm does alike: checks and clips commands, and holds the measured posture when they stop."""

import time
from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from tactus_core.config import param
from tactus_core.errors import DataError, DeviceError
from tactus_core.types import Array
from tactus_hardware.driver import Driver, DriverConfig
from tactus_hardware.ports import Reading


class _Posture(Protocol):
    @property
    def position_rad(self) -> Array: ...


S = TypeVar("S", bound=_Posture)


@dataclass(frozen=True, kw_only=True)
class JointConfig(DriverConfig):
    """What every driver of joints takes."""

    command_timeout_s: float = param(0.1, low=0.01, high=1.0, doc="Silence of commands after which the measured posture is held.")


class JointDriver(Driver[S]):
    """Implements `Jointed`. `_fault`: what the device says is wrong with it; while it says so, it holds and takes no command."""

    def __init__(self, name: str, config: JointConfig, limits_rad: Array, moves: bool = True) -> None:
        """limits_rad: (joints, 2) lowest and highest position. moves: False where it is only read, and no command is sent or missed."""
        super().__init__(name, config)
        self._command_timeout_s, self._limits_rad, self._moves = config.command_timeout_s, limits_rad, moves
        self._commanded_s: float | None = None
        self._fault = ""

    def read(self, timeout_s: float) -> Reading[S] | None:
        """See `Sensor`. Holds the posture that was just measured when the last command is too old."""
        reading = super().read(timeout_s)
        if not self.health.connected:
            self._commanded_s = None  # a command before the break is none after it
        elif reading is not None and self._lapsed():
            self._commanded_s = None
            self._hold(reading.value)
        return reading

    def command(self, position_rad: Array) -> Array | None:
        """See `Jointed`."""
        joints = len(self._limits_rad)
        wanted = np.asarray(position_rad, dtype=np.float64)
        if wanted.shape != (joints,) or not np.isfinite(wanted).all():
            raise DataError(f"{self._name} was asked for {position_rad!r}; expected {joints} finite joint positions [rad].")
        if not self._moves or not self.health.connected or self._fault:
            return None
        sent = np.clip(wanted, *self._limits_rad.T)
        if not self._send(sent):
            return None
        self._commanded_s = time.monotonic()
        return sent

    @abstractmethod
    def _write(self, position_rad: Array) -> None:
        """Make these positions the goal; raises OSError or DeviceError."""

    def _hold(self, state: S) -> None:
        """Make joints whose commands stopped stay where they were just measured."""
        self._send(state.position_rad)

    def _warning(self) -> str:
        waits = self._moves and self._commanded_s is None
        return self._fault or ("no fresh command: holding the measured posture" if waits else "")

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
