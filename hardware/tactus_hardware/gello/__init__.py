"""GELLO: a leader arm of Dynamixel servos, built to the shape of the arm that it leads."""

from tactus_hardware.gello.config import GelloConfig
from tactus_hardware.gello.driver import JOINTS, GelloArm
from tactus_hardware.ports import DeviceKind

_U2D2 = "0403:6014"
DEVICE = DeviceKind("gello", "GELLO: a leader arm of up to 8 joints over a serial line", "leader", GelloConfig, GelloArm, JOINTS, (_U2D2,))
