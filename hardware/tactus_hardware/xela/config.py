"""Parameters of uSkin sensors."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_hardware.driver import DriverConfig


@dataclass(frozen=True, kw_only=True)
class XelaConfig(DriverConfig):
    """Where the maker's server runs, and which of its sensors are read."""

    host: str = param("127.0.0.1", doc="Where `xela_server` runs.")
    port: int = param(5000, low=1, high=65535, doc="TCP port of its WebSocket.")
    sensors: tuple[int, ...] = param((1,), low=1, high=255, doc="Numbers of the sensors to read, as the server counts them, in this order.")
    values: str = param("calibrated", choices=("calibrated", "raw"), doc="The server's calibrated values, or the converter's counts.")
