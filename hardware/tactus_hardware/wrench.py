"""What every driver of a force/torque sensor takes."""

from dataclasses import dataclass

from tactus_core.perception.mounting import MountingConfig
from tactus_hardware.driver import DriverConfig


@dataclass(frozen=True, kw_only=True)
class WrenchConfig(MountingConfig, DriverConfig):
    """How the sensor is mounted, and how it is read."""
