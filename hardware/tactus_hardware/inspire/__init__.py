"""Inspire RH56: a hand with six motors and, as DFTP, with touch, over Modbus TCP or RTU."""

from tactus_hardware.inspire.config import InspireConfig
from tactus_hardware.inspire.driver import InspireHand
from tactus_hardware.inspire.protocol import JOINTS
from tactus_hardware.ports import DeviceKind

DEVICE = DeviceKind("inspire", "Inspire RH56: six motors, and touch, over Modbus TCP or RTU", "hand", InspireConfig, InspireHand, JOINTS)
