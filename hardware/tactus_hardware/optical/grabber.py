"""Frames of what OpenCV opens."""

import os
import time

import numpy as np

from tactus_core.errors import DeviceError
from tactus_hardware.camera import Frame, Frames
from tactus_hardware.driver import PAUSE_S
from tactus_hardware.optical.config import Profile

# Read when OpenCV is loaded; otherwise a silent camera holds its thread for 10 s. Sources over HTTP have limits of their own.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")
import cv2

_HTTP_LIMIT_MS = 1000
# A frame that was there at once had waited for us; one that we had to wait for is new.
_AT_ONCE_S = 0.002


def frames(source: str, profile: Profile) -> Frames:
    """See `camera.Frames`."""
    capture = None
    try:
        capture = _open(source, profile)
        last_s, fresh = time.monotonic(), False
        while True:
            began_s = time.monotonic()
            if not capture.grab():
                return
            now_s = time.monotonic()
            # After a pause of ours or of theirs, frames may have queued up on the way: of what age is anybody's guess.
            fresh = now_s - last_s <= PAUSE_S and (fresh or now_s - began_s > _AT_ONCE_S)
            last_s = now_s
            good, data = capture.retrieve()
            yield Frame(_captured_s(capture, now_s), np.asarray(data, dtype=np.uint8), 0) if good and fresh else None
    except cv2.error as error:
        raise DeviceError(str(error)) from None
    finally:
        if capture is not None:
            capture.release()


def _open(source: str, profile: Profile) -> cv2.VideoCapture:
    wanted = {cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*profile.fourcc), cv2.CAP_PROP_FPS: profile.rate_Hz}
    wanted[cv2.CAP_PROP_FRAME_WIDTH], wanted[cv2.CAP_PROP_FRAME_HEIGHT] = profile.captured_px
    if "://" in source:
        # Format -1: frames as they came. OpenCV's own decoder fills up what is missing, and says nothing.
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _HTTP_LIMIT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _HTTP_LIMIT_MS]
        capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, [*limits, cv2.CAP_PROP_FORMAT, -1])
    else:
        capture = cv2.VideoCapture(int(source) if source.isdecimal() else source, cv2.CAP_V4L2)
        for name, value in wanted.items():
            if value:
                capture.set(name, value)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
    if not capture.isOpened():
        raise DeviceError("OpenCV cannot open it. Check the path or the URL, that it has power, and that no other program reads it.")
    return capture


def _captured_s(capture: cv2.VideoCapture, now_s: float) -> float:
    """Return when the frame was captured: V4L2 has the driver's stamp, on the steady clock where that is any good; else now."""
    if capture.getBackendName() != "V4L2":
        return now_s
    stamp_s = capture.get(cv2.CAP_PROP_POS_MSEC) * 1e-3
    return stamp_s if now_s - 1.0 < stamp_s <= now_s else now_s
