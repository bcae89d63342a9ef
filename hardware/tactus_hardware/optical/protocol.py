"""A frame as a camera sends it, JPEG or YUYV, into the image that is passed on."""

from typing import Any

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from tactus_core.errors import DataError
from tactus_hardware.optical.config import Profile
from tactus_hardware.ports import Image

_BEGIN, _END = b"\xff\xd8\xff", b"\xff\xd9"
_MOST_PIXELS = 1 << 25
_FLIPS = {"horizontal": 1, "vertical": 0, "both": -1}


def decode(frame: Image, profile: Profile, flip: str) -> Image:
    """Return the image (h, w, 3) RGB in a frame: one row of bytes is a JPEG, (h, w, 2) is YUYV.

    Raises DataError for what is cut short, damaged, two frames in one, or not of the profile's size. JPEG has no checksum: damage that
    leaves it readable is not found.
    """
    image, captured_px = _yuyv(frame) if frame.ndim == 3 else _jpeg(frame.tobytes(), profile)
    if profile.captured_px not in ((0, 0), captured_px):
        raise DataError(f"a frame has {captured_px} pixels, its profile says {profile.captured_px}; is this the right camera?")
    height, width = image.shape[:2]
    x, y = round(profile.border * width), round(profile.border * height)
    image = image[y : height - y, x : width - x]
    if profile.passed_px != (0, 0) and profile.passed_px != image.shape[1::-1]:
        image = _bytes(cv2.resize(image, profile.passed_px, interpolation=cv2.INTER_AREA))
    if flip != "none":
        image = _bytes(cv2.flip(image, _FLIPS[flip]))
    return np.ascontiguousarray(image)


def _bytes(image: NDArray[Any]) -> Image:
    """Return what OpenCV made of bytes, which its types do not say are bytes again."""
    return np.asarray(image, dtype=np.uint8)


def _yuyv(frame: Image) -> tuple[Image, tuple[int, int]]:
    if frame.shape[2] != 2 or frame.shape[1] % 2 or not frame.size:
        raise DataError(f"a frame has the shape {frame.shape}, expected (h, w, 2) of YUYV")
    return _bytes(cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_YUYV)), (frame.shape[1], frame.shape[0])


def _jpeg(data: bytes, profile: Profile) -> tuple[Image, tuple[int, int]]:
    data = data.rstrip(b"\0")  # some cameras fill up their buffer
    if not data.startswith(_BEGIN) or not data.endswith(_END) or data.count(_BEGIN) != 1:
        raise DataError(f"a frame of {len(data)} bytes is no whole JPEG")
    # Where much is captured and little passed on, a quarter of the work gives the same.
    share = 1.0 - 2.0 * profile.border
    width, height = (int(np.ceil(pixels / share)) for pixels in profile.passed_px)
    try:
        found_height, found_width, _, _ = simplejpeg.decode_jpeg_header(data, strict=True)
        if found_width * found_height > _MOST_PIXELS:
            raise DataError(f"a frame says that it has {found_width} × {found_height} pixels")
        return simplejpeg.decode_jpeg(data, "RGB", min_height=height, min_width=width, strict=True), (found_width, found_height)
    except ValueError as error:
        raise DataError(f"a frame is damaged: {error}") from None
