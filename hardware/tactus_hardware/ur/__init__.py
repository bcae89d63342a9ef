"""Universal Robots, CB3 and e-Series: measured over RTDE, moved through ur-rtde."""

from tactus_hardware.ports import DeviceKind
from tactus_hardware.ur.config import UrConfig
from tactus_hardware.ur.driver import UrArm
from tactus_hardware.ur.protocol import JOINTS

DEVICE = DeviceKind("ur", "Universal Robots: 6 joints and the wrench at the tool over Ethernet", "arm", UrConfig, UrArm, JOINTS)
