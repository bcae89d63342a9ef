"""Optical touch sensors, which are cameras behind a gel: DIGIT, GelSight Mini, 9DTact; and any plain camera."""

from tactus_hardware.optical.config import OpticalConfig
from tactus_hardware.optical.driver import OpticalSensor
from tactus_hardware.ports import DeviceKind

DEVICE = DeviceKind(
    "optical", "DIGIT, GelSight Mini, 9DTact and plain cameras: images over USB or HTTP", "image", OpticalConfig, OpticalSensor
)
