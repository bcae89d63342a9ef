"""3Dconnexion's SpaceMouse, and whatever else spacenavd can read."""

from tactus_hardware.ports import DeviceKind
from tactus_hardware.spacemouse.config import SpaceMouseConfig
from tactus_hardware.spacemouse.driver import SpaceMouse

DEVICE = DeviceKind("spacemouse", "SpaceMouse: 6 axes and buttons through spacenavd", "axes", SpaceMouseConfig, SpaceMouse)
