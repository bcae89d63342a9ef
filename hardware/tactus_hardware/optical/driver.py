"""Reads an optical touch sensor, or any camera that OpenCV opens."""

import numpy as np

from tactus_core.errors import DataError, DeviceError
from tactus_hardware.driver import Driver
from tactus_hardware.optical.config import PROFILES, OpticalConfig
from tactus_hardware.optical.grabber import Frame, Grabber
from tactus_hardware.optical.protocol import Image, decode
from tactus_hardware.ports import Reading

# Less contrast than this over the whole image is a covered lens, lights that are off, or too much light: nothing can be felt in it.
_BLIND_LEVELS = 1.0
_EVERY = 4


class OpticalSensor(Driver[Image]):
    """A `Sensor` of images. Frames carry no number: one that equals the last to the bit counts as the last, for noise is in each.

    It keeps no reference of the untouched gel: whoever looks for contact does, and knows when nothing touches.
    """

    FAULTS = ("damaged", "repeated", "skipped", "blind")

    def __init__(self, config: OpticalConfig) -> None:
        super().__init__(f"camera {config.source}", config)
        self._config, self._profile = config, PROFILES[config.profile]
        self._grabber: Grabber | None = None

    def _connect(self, deadline_s: float) -> None:
        if self._grabber is None or self._grabber.over:
            if self._grabber is not None and not self._grabber.gone(deadline_s):
                raise DeviceError("OpenCV has not let go of it yet. If this lasts, unplug it and plug it in again.")
            self._grabber = Grabber(self._config.source, self._profile)
        self._last = np.empty(0, dtype=np.uint8)
        frame = self._grabber.take(deadline_s)
        if frame is None:
            raise DeviceError("no frame came so far. Check its cable if this lasts.")
        try:
            decode(frame.data, self._profile, self._config.flip)
        except DataError as error:
            raise DeviceError(f"{error}. Check that `profile` fits the sensor.") from None

    def _receive(self, deadline_s: float) -> Reading[Image] | None:
        while self._grabber is not None:
            frame = self._grabber.take(deadline_s)
            if frame is None:
                break
            self.health.count("skipped", frame.skipped)
            image = self._judged(frame)
            if image is not None:
                return Reading(frame.stamp_s - self._config.latency_s, image)
        return None

    def _judged(self, frame: Frame) -> Image | None:
        if np.array_equal(frame.data, self._last):
            self.health.count("repeated")
            return None
        self._last = frame.data
        try:
            image = decode(frame.data, self._profile, self._config.flip)
        except DataError as error:
            self.health.count("damaged")
            self.health.trouble = f"{self._name}: {error}"
            return None
        self._heard()
        if image[::_EVERY, ::_EVERY].std() < _BLIND_LEVELS:
            self.health.count("blind")
            self.health.trouble = f"{self._name}: its images are all of one colour; check its lights and its lens"
            return None
        return image

    def _disconnect(self) -> None:
        # An opening under way takes longer than an attempt may: the next one finds it done.
        if self._grabber is not None and (self._grabber.seen or not self._open):
            self._grabber.end()
