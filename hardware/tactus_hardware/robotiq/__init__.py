"""Robotiq 2F-85, 2F-140 and Hand-E: one joint, over Modbus RTU or the URCap's socket."""

from tactus_hardware.ports import DeviceKind
from tactus_hardware.robotiq.config import RobotiqConfig
from tactus_hardware.robotiq.driver import RobotiqGripper
from tactus_hardware.robotiq.protocol import JOINTS

DEVICE = DeviceKind("robotiq", "Robotiq 2F-85, 2F-140, Hand-E: over Modbus RTU or the URCap", "hand", RobotiqConfig, RobotiqGripper, JOINTS)
