"""Parameters of a magnetic skin."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_hardware.driver import DriverConfig


@dataclass(frozen=True, kw_only=True)
class AnyskinConfig(DriverConfig):
    """Where the board is, how many magnetometers it has, and what its skin does when nobody touches it."""

    port: str = param(doc="Serial port, as /dev/serial/by-id/usb-Adafruit_...")
    magnetometers: int = param(5, low=1, high=64, doc="Magnetometers on the board.")
    range_uT: float = param(
        50_000.0, low=100.0, high=400_000.0, doc="Largest field per axis that is believed; an MLX90393 is made for 5 to 50 mT."
    )
    baseline_readings: int = param(100, low=0, high=10_000, doc="Readings of the untouched skin at `open` that make its baseline; 0: none.")
    baseline_still_uT: float = param(30.0, low=0.1, high=1000.0, doc="How much the field may vary while the baseline is taken.")
