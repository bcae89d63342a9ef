"""Intel RealSense cameras: the colour that a policy sees."""

from tactus_hardware.ports import DeviceKind
from tactus_hardware.realsense.config import RealSenseConfig
from tactus_hardware.realsense.driver import RealSenseCamera

DEVICE = DeviceKind(
    "realsense",
    "Intel RealSense: colour images by librealsense",
    "camera",
    RealSenseConfig,
    RealSenseCamera,
    # D415, D435, D435i, D405, D455
    usb_ids=("8086:0ad3", "8086:0b07", "8086:0b3a", "8086:0b5b", "8086:0b5c"),
)
