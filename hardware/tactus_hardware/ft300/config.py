"""Parameters of an FT 300."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_hardware.wrench import WrenchConfig


@dataclass(frozen=True, kw_only=True)
class Ft300Config(WrenchConfig):
    """Where the sensor is; its range stands in its data sheet."""

    port: str = param(doc="Serial port, as /dev/serial/by-id/usb-FTDI_...")
    range_N: float = param(300.0, low=1.0, high=327.0, doc="Largest force per axis that the sensor can mean; more is not passed on.")
    range_Nm: float = param(30.0, low=0.1, high=32.0, doc="Largest torque per axis that the sensor can mean.")
