"""Devices without a wire, one for each measurement that no shipped driver may have: the node must run them as they are."""

import time
from dataclasses import dataclass

import numpy as np
import tactus_stub

from tactus_core.config import param
from tactus_core.errors import DeviceError
from tactus_hardware.driver import DriverConfig
from tactus_hardware.health import Health
from tactus_hardware.ports import DeviceKind, Reading

JOINTS = ("stub_1", "stub_2")


@dataclass(frozen=True, kw_only=True)
class StubConfig(DriverConfig):
    port: str = param("", doc="Where it is; 'nowhere': it cannot be opened; 'fragile': its driver fails at the third reading.")
    command_timeout_s: float = param(0.1, low=0.01, high=1.0, doc="As drivers have it.")


class StubDriver:
    """Reads 200 times a second what `value(position)` makes of the position that it was last asked for."""

    def __init__(self, config, value, position_rad):
        self.health = Health()
        self._config, self._value, self._position_rad = config, value, position_rad

    def open(self):
        if self._config.port == "nowhere":
            raise DeviceError("cannot open the stub: there is none. Plug it in.")
        self.health.connected, self.health.trouble = True, ""

    def read(self, timeout_s):
        time.sleep(0.005)
        self.health.reading(time.monotonic(), "")
        if self._config.port == "fragile" and self.health.counts["readings"] >= 3:
            raise ZeroDivisionError("a driver's own mistake")
        return Reading(time.monotonic(), self._value(self._position_rad))

    def command(self, position_rad):
        self._position_rad = position_rad
        return position_rad

    def close(self):
        self.health.connected, self.health.trouble = False, "closed"


@dataclass(frozen=True)
class ArmState:
    position_rad: np.ndarray
    velocity_rad_s: np.ndarray
    wrench_tcp: np.ndarray


@dataclass(frozen=True)
class Taxels:
    value: np.ndarray
    unit: str
    position_m: np.ndarray


def _arm(position_rad):
    return ArmState(position_rad, np.full(2, np.nan), np.array([0.0, 0.0, -5.0, 0.0, 0.0, 0.0]))


def _taxels(_):
    return Taxels(np.arange(6.0).reshape(2, 3), "uT", np.full((2, 3), 0.01))


def _image(_):
    return np.full((2, 3, 3), 9, np.uint8)


def _live_arm(position_rad):
    """The last digit of a live sensor is never still."""
    flicker = 1e-9 * np.sin(1e3 * time.monotonic())
    return ArmState(position_rad + flicker, np.full(len(position_rad), np.nan), np.full(6, np.nan))


def _kind(measures, value, joints=(), start_rad=()):
    return DeviceKind(
        f"stub_{measures}", "A stub", measures, StubConfig, lambda config: StubDriver(config, value, np.array(start_rad)), joints
    )


ARM = _kind("arm", _arm, JOINTS, (0.0, 0.0))
GANTRY = _kind("arm", _live_arm, tactus_stub.ARM, tactus_stub.HOME)
TAXELS = _kind("taxels", _taxels)
IMAGE = _kind("image", _image)
SMELL = _kind("smell", _image)
