"""LEAP hand: 16 Dynamixel servos on one serial line."""

from tactus_hardware.leap.config import LeapConfig
from tactus_hardware.leap.driver import LeapHand
from tactus_hardware.leap.protocol import JOINTS
from tactus_hardware.ports import DeviceKind

_U2D2 = "0403:6014"
DEVICE = DeviceKind("leap", "LEAP hand: 16 joints over a serial line", "hand", LeapConfig, LeapHand, JOINTS, (_U2D2,))
