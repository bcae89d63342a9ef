"""Fakes an optical touch sensor: MJPEG over HTTP, which OpenCV opens as it opens a camera."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg
from PIL import Image as Picture

from tactus_core.errors import ConfigError, DataError
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.emulation.servers import TcpLine
from tactus_hardware.emulation.stream import StreamEmulator
from tactus_hardware.ports import Image
from tactus_hardware.recording import open_recording
from tactus_hardware.recording.port import TOUCH_IMAGE

_PATH = "/touch.mjpg"
_HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\nCache-Control: no-cache\r\n\r\n"
_QUALITY = 92
_RATE_Hz, _RECORDED_RATE_Hz = 60.0, 25.0
_GEL_PX, _VARIANTS, _NOISE_LEVELS = (320, 240), 8, 2.0
_SPOT, _SPOT_LEVELS = 0.08, 90.0


def gel(width_px: int, height_px: int, press: tuple[float, float, float]) -> Image:
    """Return what a gel lit from three sides shows, (h, w, 3). press: x, y of a bright spot, as shares of the image; its strength 0..1."""
    x, y = np.meshgrid((np.arange(width_px) + 0.5) / width_px, (np.arange(height_px) + 0.5) / height_px)
    lights = np.stack([80.0 + 60.0 * x, 80.0 + 60.0 * y, 140.0 - 60.0 * x], axis=-1)
    spot = np.exp(-((x - press[0]) ** 2 + (y - press[1]) ** 2) / (2.0 * _SPOT**2))
    return (lights + press[2] * _SPOT_LEVELS * spot[..., None]).astype(np.uint8)


def noisy(image: Image) -> Iterator[Image]:
    """Return some frames that a camera has of what looks like this: one level of noise for each pixel, alike in its colours."""
    random = np.random.default_rng(0)
    for _ in range(_VARIANTS):
        noise = random.normal(0.0, _NOISE_LEVELS, (*image.shape[:2], 1))
        yield np.clip(image + noise, 0.0, 255.0).astype(np.uint8)


class OpticalEmulator(StreamEmulator):
    """60 frames per second of 320 × 240 pixels with noise, or those of a recording, again and again.

    `set press X Y STRENGTH`: a spot, see `gel`. `set size WIDTH HEIGHT`. `set rate HZ`.
    """

    SUMMED = False

    def __init__(self, faults: Faults) -> None:
        super().__init__(faults, TcpLine(self._answer, self._greet), 1.0 / _RATE_Hz)
        self.streaming = False
        self._size_px, self._press = _GEL_PX, (0.5, 0.5, 0.0)
        self._recorded: list[Image] = []
        self._white = _jpeg(np.full((240, 320, 3), 255, dtype=np.uint8))
        self._show()

    def address(self) -> Mapping[str, Any]:
        """See `Emulator`."""
        return {"source": f"http://127.0.0.1:{super().address()['port']}{_PATH}"}

    def hang_up(self) -> None:
        """See `Emulator`."""
        super().hang_up()
        self.streaming = False

    def play(self, recording: Path) -> None:
        """See `Emulator`."""
        self._recorded, self._period_s = _recorded(recording), 1.0 / _RECORDED_RATE_Hz
        self._show()

    def frame(self) -> bytes:
        """See `StreamEmulator`."""
        return _part(self._white if self.faults.strikes("saturation") else next(self._frames))

    def set(self, name: str, values: list[float]) -> None:
        """See `Emulator`."""
        match name, values:
            case "press", [x, y, strength]:
                self._press = (x, y, strength)
            case "size", [width, height]:
                self._size_px = (int(width), int(height))
            case "rate", [rate_Hz] if rate_Hz > 0.0:
                self._period_s = 1.0 / rate_Hz
            case _:
                raise ConfigError(
                    f"an emulated touch sensor cannot set {name} to {values}; it knows press (3 numbers), size (2), rate (1)."
                )
        self._show()

    def state(self) -> Mapping[str, Any]:
        """See `Emulator`."""
        return {"streaming": self.streaming, "sent": self.sent}

    def _show(self) -> None:
        self._frames: Iterator[bytes] = itertools.cycle(_jpeg(image) for image in self._recorded or self._variants())

    def _variants(self) -> Iterator[Image]:
        for image in noisy(gel(*_GEL_PX, self._press)):
            yield np.asarray(cv2.resize(image, self._size_px), dtype=np.uint8)

    def _greet(self) -> None:
        self.streaming = False

    def _answer(self, asked: bytes) -> None:
        if asked.startswith(f"GET {_PATH} ".encode()):
            self._line.send(_HEAD)
            self.streaming = True
        elif not asked:
            self.streaming = False


def _jpeg(image: Image) -> bytes:
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(image), _QUALITY, "RGB"))


def _part(jpeg: bytes) -> bytes:
    return b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(jpeg), jpeg)


def _recorded(path: Path) -> list[Image]:
    """Return the frames of a recording, or the pictures (PNG) in a folder in the order of their names."""
    if path.is_dir() and any(path.glob("*.png")):
        frames = [np.asarray(Picture.open(file).convert("RGB")) for file in sorted(path.glob("*.png"))]
    else:
        frames = [sample.value for sample in open_recording(path).samples() if sample.stream == TOUCH_IMAGE]
    if len(frames) < 2:
        raise DataError(f"{path} holds {len(frames)} images of touch, expected at least two. Name a recording or a folder of PNG files.")
    return frames


make = OpticalEmulator
