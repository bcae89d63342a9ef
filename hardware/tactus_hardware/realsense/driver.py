"""Reads the colour of a RealSense camera, by librealsense."""

import time
from contextlib import ExitStack
from typing import Any, ClassVar

import numpy as np

from tactus_core.errors import DeviceError
from tactus_hardware.camera import Camera, Frame, Frames
from tactus_hardware.realsense.clock import CameraClock, captured_by_wall_s
from tactus_hardware.realsense.config import RealSenseConfig
from tactus_hardware.realsense.sources import Source, opened


class RealSenseCamera(Camera):
    """A `Sensor` of images: one stream of colour, read from the sensor that has it."""

    OPEN_LIMIT_S: ClassVar[float] = 3.5  # it is found, set up and exposed first; who opens it waits for 4 s

    def __init__(self, config: RealSenseConfig) -> None:
        super().__init__(f"RealSense {config.camera}", config)
        self._config = config

    def _frames(self) -> Frames:
        rs = _library()
        try:
            with opened(rs, self._config.camera) as source, ExitStack() as leave:
                sensor, profile = _colour(rs, source.device, self._config)
                queue = rs.frame_queue(1)  # a full one lets go of what is oldest
                sensor.open(profile)
                leave.callback(sensor.close)
                sensor.start(queue)
                leave.callback(sensor.stop)
                yield from _stream(rs, source, queue)
        except RuntimeError as error:
            raise DeviceError(f"librealsense says: {error}") from None


def _library() -> Any:
    try:
        import pyrealsense2
    except ImportError as error:
        raise DeviceError(
            f"pyrealsense2 cannot be loaded: {error}. It needs libusb-1.0: sudo apt install libusb-1.0-0, and its own package as pinned "
            "in requirements/hardware.txt."
        ) from None
    return pyrealsense2


def _colour(rs: Any, device: Any, config: RealSenseConfig) -> tuple[Any, Any]:
    """Return the sensor that has the wanted mode of colour (a D405 has it beside depth), and the mode's profile."""
    wanted, offered = (config.width_px, config.height_px, config.rate_Hz), set()
    for sensor in device.query_sensors():
        for profile in sensor.get_stream_profiles():
            if profile.stream_type() == rs.stream.color and profile.format() == rs.format.rgb8:
                video = profile.as_video_stream_profile()
                mode = (video.width(), video.height(), profile.fps())
                if mode == wanted:
                    return sensor, profile
                offered.add(mode)
    modes = ", ".join("×".join(map(str, mode)) for mode in sorted(offered)) or "none"
    raise DeviceError(f"it has no colour of {'×'.join(map(str, wanted))} (width, height, rate). It offers {modes}: set one of these.")


def _stream(rs: Any, source: Source, queue: Any) -> Frames:
    clock, last, hardware = CameraClock(), None, rs.timestamp_domain.hardware_clock
    while source.there():
        came, frame = queue.try_wait_for_frame(source.wait_ms)
        now_s = time.monotonic()
        if not came:
            yield None
            continue
        stamp_s, number = frame.get_timestamp() * 1e-3, frame.get_frame_number()
        if source.by_wall and frame.get_frame_timestamp_domain() != hardware:
            captured_s = captured_by_wall_s(stamp_s, time.time(), now_s)
        else:
            captured_s = clock.captured_s(stamp_s, now_s)
        lost = max(0, number - last - 1) if last is not None else 0
        last = number
        # A copy: the library has few buffers, and stops where none comes back.
        yield Frame(captured_s, np.array(frame.get_data(), dtype=np.uint8), lost)
