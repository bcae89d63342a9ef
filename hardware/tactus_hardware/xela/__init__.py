"""uSkin sensors of XELA Robotics, through the maker's server."""

from tactus_hardware.ports import DeviceKind
from tactus_hardware.xela.config import XelaConfig
from tactus_hardware.xela.driver import XelaSensor

DEVICE = DeviceKind("xela", "XELA uSkin: 3-axis taxels through the maker's server", "taxels", XelaConfig, XelaSensor)
