"""Parameters of a sensor that speaks RDT."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_hardware.wrench import WrenchConfig


@dataclass(frozen=True, kw_only=True)
class RdtConfig(WrenchConfig):
    """Where the sensor is, and which one it is."""

    host: str = param("192.168.1.1", doc="Address of the sensor; 192.168.1.1 is how both makers ship it.")
    model: str = param("netft", choices=("netft", "hex"), doc="netft: tells its calibration over HTTP; hex: has a fixed one.")
    rdt_port: int = param(49152, low=1, high=65535, doc="UDP port of the stream.")
    http_port: int = param(80, low=1, high=65535, doc="TCP port of the calibration; a HEX has none.")
