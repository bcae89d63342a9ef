"""Magnetic skins that stream over USB: AnySkin, ReSkin."""

from tactus_hardware.anyskin.config import AnyskinConfig
from tactus_hardware.anyskin.driver import AnyskinSensor
from tactus_hardware.ports import DeviceKind

DEVICE = DeviceKind("anyskin", "AnySkin and ReSkin: magnetic skins over USB serial", "taxels", AnyskinConfig, AnyskinSensor)
