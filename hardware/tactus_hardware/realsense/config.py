"""Parameters of a RealSense camera."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_hardware.camera import CameraConfig

ANY = "any"


@dataclass(frozen=True, kw_only=True)
class RealSenseConfig(CameraConfig):
    """Which camera it is, and which of its modes of colour it is asked for."""

    camera: str = param(ANY, doc="Serial number, as librealsense says it; any: the only one; or a recording of librealsense, as day.db3.")
    width_px: int = param(640, low=1, high=4096, doc="Width of the image, one that the camera offers.")
    height_px: int = param(480, low=1, high=4096, doc="Height of the image.")
    rate_Hz: int = param(30, low=1, high=300, doc="Frames per second, as the camera offers them at this size.")
