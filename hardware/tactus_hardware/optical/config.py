"""Parameters of an optical touch sensor, and what its make decides."""

from dataclasses import dataclass

from tactus_core.config import param
from tactus_hardware.camera import CameraConfig


@dataclass(frozen=True)
class Profile:
    """What a camera is asked for, and what of its frames is passed on; 0: as it comes.

    captured_px, passed_px: (width, height). border: share of the width that is cut off left and right, and of the height above and below.
    """

    captured_px: tuple[int, int] = (0, 0)
    rate_Hz: float = 0.0
    fourcc: str = "MJPG"
    border: float = 0.0
    passed_px: tuple[int, int] = (0, 0)


PROFILES = {
    "plain": Profile(),
    "digit": Profile((320, 240), 60.0, "YUYV"),
    # Its lens shows more than the gel.
    "gelsight_mini": Profile((3280, 2464), 25.0, "MJPG", 1.0 / 7.0, (320, 240)),
    "9dtact": Profile((640, 480), 30.0),
}


@dataclass(frozen=True, kw_only=True)
class OpticalConfig(CameraConfig):
    """Where the images come from, and how they are turned."""

    source: str = param(doc="Device path, as /dev/v4l/by-id/usb-..., its number, or the URL of an MJPEG stream.")
    profile: str = param("plain", choices=tuple(PROFILES), doc="Which make it is; plain: a camera, its frames as they come.")
    flip: str = param(
        "none", choices=("none", "horizontal", "vertical", "both"), doc="How the image is mirrored; both: turned upside down."
    )
