"""Where frames come from: a camera that is plugged in, a recording, or the library's software device, fed by our emulator."""

import contextlib
import socket
import time
from collections.abc import Generator
from typing import Any, Protocol

from tactus_core.errors import DataError, DeviceError
from tactus_hardware.realsense.config import ANY
from tactus_hardware.realsense.protocol import SCHEME, Injected, Injections

_LINK_S, _TELL_S = 0.1, 1.0
_CHUNK_BYTES = 1 << 20
_SERIAL = "emulated"
RATE_Hz = 60


class Source(Protocol):
    """A device of the library. `by_wall`: whether stamps by the wall clock are of today."""

    device: Any
    by_wall: bool
    wait_ms: int

    def there(self) -> bool:
        """Return whether more frames may come; called before each is waited for."""
        ...


class Plugged:
    """A camera that the library's context has, by its serial number."""

    by_wall, wait_ms = True, 100

    def __init__(self, rs: Any, context: Any, serial: str) -> None:
        self._context = context
        found = {device.get_info(rs.camera_info.serial_number): device for device in self._context.query_devices()}
        if not found:
            raise DeviceError(
                "librealsense finds no camera. Plug it in (USB 3), and install librealsense's udev rules, which let you open it."
            )
        if (serial == ANY and len(found) > 1) or serial not in (ANY, *found):
            raise DeviceError(f"cameras with the serial numbers {', '.join(found)} are plugged in. Set `camera` to one of these.")
        self.device = next(iter(found.values())) if serial == ANY else found[serial]

    def there(self) -> bool:
        """See `Source`."""
        return bool(self.device.is_connected())


class Recorded:
    """A recording of librealsense, played once, at the speed at which it was made. Its stamps are of another day."""

    by_wall, wait_ms = False, 100

    def __init__(self, rs: Any, path: str) -> None:
        self._context, self._stopped = rs.context(), rs.playback_status.stopped
        self.device = self._context.load_device(path)
        self._playback, self._began = self.device.as_playback(), False

    def there(self) -> bool:
        """See `Source`."""
        stopped = self._playback.current_status() == self._stopped
        self._began = self._began or not stopped
        return not (self._began and stopped)


class Software:
    """The library's software device: what our emulator says is injected where a camera's frames would come in."""

    by_wall, wait_ms = True, 1

    def __init__(self, rs: Any, link: socket.socket) -> None:
        self._rs, self._link, self._frames = rs, link, Injections()
        self._waiting: list[Injected] = []
        self.device = rs.software_device()
        self.device.register_info(rs.camera_info.serial_number, _SERIAL)
        self._sensor = self.device.add_sensor("RGB Camera")
        # As a camera tells its modes before it streams: the first frame has the size.
        deadline_s = time.monotonic() + _TELL_S
        while not self._waiting:
            self._hear()
            if time.monotonic() > deadline_s:
                raise DeviceError("the emulator says nothing. Check that it runs.")
        height, width = self._waiting[0].image.shape[:2]
        stream = rs.video_stream()
        stream.type, stream.fmt, stream.bpp = rs.stream.color, rs.format.rgb8, 3
        stream.width, stream.height, stream.fps = width, height, RATE_Hz
        self._profile = self._sensor.add_video_stream(stream).as_video_stream_profile()

    def there(self) -> bool:
        """See `Source`."""
        self._hear()
        while self._waiting:
            self._inject(self._waiting.pop(0))
        return True

    def _hear(self) -> None:
        try:
            data = self._link.recv(_CHUNK_BYTES)
            self._waiting += self._frames.take(data)
        except TimeoutError:
            return
        except (OSError, DataError) as error:
            raise DeviceError(f"the emulator is lost: {error}") from None
        if not data:
            raise DeviceError("the emulator hung up. Check that it runs.")

    def _inject(self, told: Injected) -> None:
        frame = self._rs.software_video_frame()
        frame.profile, frame.bpp, frame.stride = self._profile, 3, 3 * told.image.shape[1]
        frame.pixels, frame.frame_number, frame.timestamp = told.image, told.number, told.stamp_ms
        frame.domain = self._rs.timestamp_domain(told.domain)
        self._sensor.on_video_frame(frame)


@contextlib.contextmanager
def opened(rs: Any, camera: str) -> Generator[Source, None, None]:
    """Find the camera; raises DeviceError, or RuntimeError of the library."""
    if camera.startswith(SCHEME):
        host, _, port = camera.removeprefix(SCHEME).partition(":")
        try:
            link = socket.create_connection((host, int(port)), timeout=_LINK_S)
        except (OSError, ValueError) as error:
            raise DeviceError(f"no emulator answers there: {error}. Check that it runs.") from None
        with link:
            yield Software(rs, link)
    elif camera.endswith(".db3"):
        yield Recorded(rs, camera)
    else:
        yield Plugged(rs, rs.context(), camera)
