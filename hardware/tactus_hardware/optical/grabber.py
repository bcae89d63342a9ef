"""Grabs frames with OpenCV, in a thread of its own: OpenCV may block for seconds, and whoever reads must not."""

import os
import threading
import time
from dataclasses import dataclass

import numpy as np

from tactus_core.errors import DeviceError
from tactus_hardware.driver import PAUSE_S
from tactus_hardware.optical.config import Profile
from tactus_hardware.optical.protocol import Image

# Read when OpenCV is loaded; otherwise a silent camera holds its thread for 10 s. Sources over HTTP have limits of their own.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")
import cv2

_HTTP_LIMIT_MS = 1000
# A frame that was there at once had waited for us; one that we had to wait for is new.
_AT_ONCE_S = 0.002


@dataclass(frozen=True)
class Frame:
    """A frame as it came, and when it was captured (steady clock). skipped: those before it that nobody took."""

    stamp_s: float
    data: Image
    skipped: int


class Grabber:
    """Opens a source once, and keeps its newest frame until it fails or is told to end. `seen`: whether a frame was taken."""

    def __init__(self, source: str, profile: Profile) -> None:
        self._source, self._profile = source, profile
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
            if frame is None and self._trouble:
                raise DeviceError(self._trouble)
        self.seen = self.seen or frame is not None
        return frame

    def end(self) -> None:
        """Let go of the source, as soon as OpenCV returns."""
        self._ending = True

    def _run(self) -> None:
        capture = None
        try:
            capture = self._open()
            self._grab(capture)
            trouble = "it ended, or fell silent. Check its cable."
        except (cv2.error, DeviceError) as error:
            trouble = str(error)
        finally:
            if capture is not None:
                capture.release()
        with self._changed:
            self._trouble = trouble
            self._changed.notify_all()

    def _open(self) -> cv2.VideoCapture:
        wanted = {cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*self._profile.fourcc), cv2.CAP_PROP_FPS: self._profile.rate_Hz}
        wanted[cv2.CAP_PROP_FRAME_WIDTH], wanted[cv2.CAP_PROP_FRAME_HEIGHT] = self._profile.captured_px
        if "://" in self._source:
            # Format -1: frames as they came. OpenCV's own decoder fills up what is missing, and says nothing.
            limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _HTTP_LIMIT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _HTTP_LIMIT_MS]
            capture = cv2.VideoCapture(self._source, cv2.CAP_FFMPEG, [*limits, cv2.CAP_PROP_FORMAT, -1])
        else:
            capture = cv2.VideoCapture(int(self._source) if self._source.isdecimal() else self._source, cv2.CAP_V4L2)
            for name, value in wanted.items():
                if value:
                    capture.set(name, value)
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
        if not capture.isOpened():
            raise DeviceError("OpenCV cannot open it. Check the path or the URL, that it has power, and that no other program reads it.")
        return capture

    def _grab(self, capture: cv2.VideoCapture) -> None:
        last_s, fresh = time.monotonic(), False
        while not self._ending:
            began_s = time.monotonic()
            if not capture.grab():
                return
            now_s = time.monotonic()
            # After a pause of ours or of theirs, frames may have queued up on the way: of what age is anybody's guess.
            fresh = now_s - last_s <= PAUSE_S and (fresh or now_s - began_s > _AT_ONCE_S)
            last_s = now_s
            good, data = capture.retrieve()
            if good and fresh:
                self._put(Frame(_captured_s(capture, now_s), np.asarray(data, dtype=np.uint8), 0))

    def _put(self, frame: Frame) -> None:
        with self._changed:
            skipped = 0 if self._newest is None else self._newest.skipped + 1
            self._newest = Frame(frame.stamp_s, frame.data, skipped)
            self._changed.notify_all()


def _captured_s(capture: cv2.VideoCapture, now_s: float) -> float:
    """Return when the frame was captured: V4L2 has the driver's stamp, on the steady clock where that is any good; else now."""
    if capture.getBackendName() != "V4L2":
        return now_s
    stamp_s = capture.get(cv2.CAP_PROP_POS_MSEC) * 1e-3
    return stamp_s if now_s - 1.0 < stamp_s <= now_s else now_s
