"""Inspire RH56: a hand with six motors, over Modbus TCP."""

from tactus_hardware.inspire.config import InspireConfig
from tactus_hardware.inspire.driver import InspireHand
from tactus_hardware.inspire.protocol import JOINTS
from tactus_hardware.ports import DeviceKind

DEVICE = DeviceKind("inspire", "Inspire RH56: six motors over Modbus TCP", "hand", InspireConfig, InspireHand, JOINTS)
