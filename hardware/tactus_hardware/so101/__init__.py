"""SO-100 and SO-101: an arm of six Feetech servos on one serial line, as a follower that moves or a leader that is led by hand."""

from tactus_hardware.ports import DeviceKind
from tactus_hardware.so101.config import So101Config
from tactus_hardware.so101.driver import So101Arm
from tactus_hardware.so101.protocol import JOINTS

DEVICE = DeviceKind("so101", "SO-100 and SO-101: 6 joints over a serial line, follower or leader", "arm", So101Config, So101Arm, JOINTS)
