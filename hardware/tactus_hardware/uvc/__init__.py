"""Plain cameras over USB (UVC) or HTTP: what a policy sees. The driver is that of the optical touch sensors, which are cameras, too."""

from tactus_hardware.optical.config import OpticalConfig
from tactus_hardware.optical.driver import OpticalSensor
from tactus_hardware.ports import DeviceKind

DEVICE = DeviceKind("uvc", "Plain cameras: images over USB or HTTP", "camera", OpticalConfig, OpticalSensor)
