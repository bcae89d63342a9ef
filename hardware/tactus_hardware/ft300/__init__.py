"""Robotiq FT 300 and FT 300-S: force/torque sensors on a serial line."""

from tactus_hardware.ft300.config import Ft300Config
from tactus_hardware.ft300.driver import Ft300Sensor
from tactus_hardware.ports import DeviceKind

DEVICE = DeviceKind("ft300", "Robotiq FT 300: force and torque over a serial line", "wrench", Ft300Config, Ft300Sensor)
