"""Reads an optical touch sensor, or any camera that OpenCV opens."""

from tactus_hardware.camera import Camera, Frames
from tactus_hardware.optical.config import PROFILES, OpticalConfig
from tactus_hardware.optical.grabber import frames
from tactus_hardware.optical.protocol import decode
from tactus_hardware.ports import Image


class OpticalSensor(Camera):
    """A `Sensor` of images. It keeps no reference of the untouched gel: whoever looks for contact does, and knows when nothing touches."""

    def __init__(self, config: OpticalConfig) -> None:
        super().__init__(f"camera {config.source}", config)
        self._config, self._profile = config, PROFILES[config.profile]

    def _frames(self) -> Frames:
        return frames(self._config.source, self._profile)

    def _image(self, frame: Image) -> Image:
        return decode(frame, self._profile, self._config.flip)
