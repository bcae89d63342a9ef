"""What every camera's driver does alike: a thread of its own grabs frames, for libraries may block for seconds, and `read` must not."""

import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np

from tactus_core.config import param
from tactus_core.errors import DataError, DeviceError
from tactus_hardware.driver import Driver, DriverConfig
from tactus_hardware.ports import Image, Reading

# Less contrast than this over the whole image is a covered lens, lights that are off, or too much light: nothing can be seen in it.
_BLIND_LEVELS = 1.0
_EVERY = 4


@dataclass(frozen=True, kw_only=True)
class CameraConfig(DriverConfig):
    """What every camera takes."""

    latency_s: float = param(0.0, low=0.0, high=0.1, doc="From the capture of a frame to what its stamp says otherwise.")
    silence_s: float = param(0.5, low=0.05, high=10.0, doc="Time without a new frame after which the source is opened anew.")


@dataclass(frozen=True)
class Frame:
    """A frame as it came, and when it was captured (steady clock). skipped: those before it that were lost, or that nobody took."""

    stamp_s: float
    data: Image
    skipped: int


# Opens a source, gives its frames, and lets go of it when closed. None: nothing came for now. Raises DeviceError.
Frames = Generator[Frame | None, None, None]


class Grabber:
    """Keeps the newest of the frames until they end or it is told to end. `seen`: whether a frame was taken."""

    def __init__(self, frames: Callable[[], Frames]) -> None:
        self._frames = frames
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._trouble = ""
        self._ending = self.seen = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether no more frames will come."""
        return self._ending or not self._thread.is_alive()

    def gone(self, deadline_s: float) -> bool:
        """Return whether it has let go of the source by the deadline."""
        self._thread.join(max(0.0, deadline_s - time.monotonic()))
        return not self._thread.is_alive()

    def take(self, deadline_s: float) -> Frame | None:
        """Return the newest frame, once; None: none came by the deadline. Raises DeviceError where the source has failed."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest or self._trouble, max(0.0, deadline_s - time.monotonic()))
            frame, self._newest = self._newest, None
            if frame is None:
                self.complain()
        self.seen = self.seen or frame is not None
        return frame

    def complain(self) -> None:
        """Raise DeviceError where the source has failed and nobody was told."""
        trouble, self._trouble = self._trouble, ""
        if trouble:
            raise DeviceError(trouble)

    def end(self) -> None:
        """Let go of the source, as soon as its library returns."""
        self._ending = True

    def _run(self) -> None:
        trouble = "it ended, or fell silent. Check its cable."
        frames = self._frames()
        try:
            for frame in frames:
                if self._ending:
                    break
                self._put(frame)
        except DeviceError as error:
            trouble = str(error)
        finally:
            frames.close()
        with self._changed:
            self._trouble = "" if self._ending else trouble
            self._changed.notify_all()

    def _put(self, frame: Frame | None) -> None:
        if frame is None:
            return
        with self._changed:
            skipped = frame.skipped + (0 if self._newest is None else self._newest.skipped + 1)
            self._newest = Frame(frame.stamp_s, frame.data, skipped)
            self._changed.notify_all()


class Camera(Driver[Image]):
    """A `Sensor` of images. A camera's own part: `_frames`, and `_image` where frames are not images yet.

    A frame that equals the last to the bit, or was captured no later, counts as the last: noise is in each.
    """

    FAULTS = ("damaged", "repeated", "skipped", "blind")

    def __init__(self, name: str, config: CameraConfig) -> None:
        super().__init__(name, config)
        self._latency_s = config.latency_s
        self._grabber: Grabber | None = None

    @abstractmethod
    def _frames(self) -> Frames:
        """Open the source; what it does runs in the grabber's thread."""

    def _image(self, frame: Image) -> Image:
        """Return the image (h, w, 3) RGB that is in a frame; raises DataError for a damaged one."""
        return frame

    def _connect(self, deadline_s: float) -> None:
        if self._grabber is not None and self._grabber.over:
            if not self._grabber.gone(deadline_s):
                raise DeviceError("its library has not let go of it yet. If this lasts, unplug it and plug it in again.")
            ended, self._grabber = self._grabber, None
            ended.complain()  # of an opening that took longer than an attempt, and failed
        if self._grabber is None:
            self._grabber = Grabber(self._frames)
        self._last = Frame(-np.inf, np.empty(0, dtype=np.uint8), 0)
        frame = self._grabber.take(deadline_s)
        if frame is None:
            raise DeviceError("no frame came so far. Check its cable if this lasts.")
        try:
            self._image(frame.data)
        except DataError as error:
            raise DeviceError(f"{error}. Check that its parameters fit the camera.") from None

    def _receive(self, deadline_s: float) -> Reading[Image] | None:
        while self._grabber is not None:
            frame = self._grabber.take(deadline_s)
            if frame is None:
                break
            self.health.count("skipped", frame.skipped)
            image = self._judged(frame)
            if image is not None:
                return Reading(frame.stamp_s - self._latency_s, image)
        return None

    def _judged(self, frame: Frame) -> Image | None:
        if frame.stamp_s <= self._last.stamp_s or np.array_equal(frame.data, self._last.data):
            self.health.count("repeated")
            return None
        self._last = frame
        try:
            image = self._image(frame.data)
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
