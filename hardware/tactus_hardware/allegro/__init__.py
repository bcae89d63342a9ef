"""Allegro Hand V5 Sense: 16 joints with touch, over UDP."""

from tactus_hardware.allegro.config import AllegroConfig
from tactus_hardware.allegro.driver import AllegroHand
from tactus_hardware.allegro.protocol import JOINTS
from tactus_hardware.ports import DeviceKind

DEVICE = DeviceKind("allegro", "Allegro Hand V5 Sense: 16 joints and touch over UDP", "hand", AllegroConfig, AllegroHand, JOINTS)
