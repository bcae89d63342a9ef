"""Force/torque sensors that speak RDT over UDP: ATI Net F/T, Ethernet Axia, OnRobot HEX (OptoForce)."""

from tactus_hardware.ports import DeviceKind
from tactus_hardware.rdt.config import RdtConfig
from tactus_hardware.rdt.driver import RdtSensor

DEVICE = DeviceKind("rdt", "ATI Net F/T and OnRobot HEX: force and torque over UDP", "wrench", RdtConfig, RdtSensor)
