"""RealSense: when a frame was captured, recordings that the library makes and plays, and what is said where something is missing."""

import sys
import time

import numpy as np
import pytest
from emulated import until
from hypothesis import given
from hypothesis import strategies as st

from tactus_core.config import from_mapping
from tactus_core.errors import DataError, DeviceError
from tactus_hardware.optical.emulator import gel, noisy
from tactus_hardware.realsense import DEVICE
from tactus_hardware.realsense.clock import CameraClock, captured_by_wall_s
from tactus_hardware.realsense.protocol import Injected, Injections, pack
from tactus_hardware.realsense.sources import Plugged

SIZE = {"width_px": 64, "height_px": 48, "rate_Hz": 30}
SPOT = (0.3, 0.6, 1.0)


@pytest.fixture
def rs():
    return pytest.importorskip("pyrealsense2", reason="pyrealsense2 needs libusb-1.0-0", exc_type=ImportError)


@given(st.floats(0, 0.9), st.floats(1e6, 2e9), st.floats(0, 1e6))
def test_a_stamp_by_the_wall_clock_is_turned_into_the_steady_one(age_s, wall_s, now_s):
    assert captured_by_wall_s(wall_s - age_s, wall_s, now_s) == pytest.approx(now_s - age_s, abs=1e-5)


@given(st.floats(0, 1e6))
def test_a_stamp_that_is_far_off_is_not_believed_and_one_from_the_future_is_now(now_s):
    for age_s in (-0.5, -1e9, 1.5, 1e9, float("nan"), float("inf")):
        with pytest.raises(DeviceError, match="clock"):
            captured_by_wall_s(1e9 - age_s, 1e9, now_s)
    assert captured_by_wall_s(1e9 + 0.01, 1e9, now_s) == now_s


@given(st.lists(st.floats(0.0, 0.1), min_size=1, max_size=300), st.floats(-1e6, 1e6), st.floats(0.001, 0.05))
def test_a_camera_with_a_clock_of_its_own_is_followed(delays_s, began_s, shortest_s):
    clock, least_s = CameraClock(), np.inf
    for number, delay_s in enumerate(delays_s):
        taken_s = number / 30.0
        now_s = 50.0 + taken_s + shortest_s + delay_s
        captured_s = clock.captured_s(began_s + taken_s, now_s)
        least_s = min(delays_s[max(0, number - 89) : number + 1])
        assert captured_s <= now_s
        # The shortest way of late is what nobody can see.
        assert captured_s == pytest.approx(50.0 + taken_s + shortest_s + least_s, abs=1e-6)


def test_a_clock_that_leaps_is_followed_at_once():
    clock = CameraClock()
    assert clock.captured_s(1000.0, 5.0) == 5.0
    for leap_s in (4294.967, -4294.967):  # as a count of microseconds in 32 bits does
        assert clock.captured_s(1000.5 + leap_s, 5.5) == 5.5


@given(st.lists(st.integers(1, 400), max_size=30))
def test_frames_are_found_however_they_are_cut(cuts):
    told = [Injected(n, 1e12 + n / 3, n % 3, np.full((4, 6, 3), n, dtype=np.uint8)) for n in range(5)]
    data, parser, found = b"".join(map(pack, told)), Injections(), []
    for cut in (*cuts, len(data)):
        found += parser.take(data[:cut])
        data = data[cut:]
    assert b"".join(map(pack, found)) == b"".join(map(pack, told))
    with pytest.raises(DataError):
        parser.take(bytes(100))


def test_what_cannot_be_loaded_is_named_with_what_helps(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyrealsense2", None)
    with pytest.raises(DeviceError, match=r"sudo apt install libusb-1\.0-0"):
        DEVICE.make(from_mapping(DEVICE.config, {}, "the test")).open()


@pytest.mark.usefixtures("rs")
def test_what_is_not_there_is_named(tmp_path, opened):
    broken = tmp_path / "broken.db3"
    broken.write_bytes(b"no recording")
    for camera, said in (("any", "finds no camera"), ("012345", "finds no camera"), (str(broken), "librealsense says")):
        with pytest.raises(DeviceError, match=said):
            opened(DEVICE, {"camera": camera})


@pytest.mark.usefixtures("rs")
def test_stamps_are_of_the_capture_whatever_clock_they_are_by_and_lies_are_not_believed(emulate, opened):
    emulator = emulate("realsense")
    with pytest.raises(DeviceError, match="offers 320×240×60"):
        opened(DEVICE, emulator.address, width_px=640)
    emulator.tell("set", "lag", 0.08)
    driver = opened(DEVICE, emulator.address, silence_s=5.0)
    for domain in (2, 1):
        emulator.tell("set", "domain", domain)
        for _ in range(5):
            reading = until(lambda: driver.read(0.05))
            assert time.monotonic() - reading.stamp_s >= 0.08
    emulator.tell("set", "off", 5)
    until(lambda: driver.read(0.05) is None and "-4.9" in driver.health.trouble)
    emulator.tell("set", "off", 0)
    emulator.tell("set", "domain", 0)
    until(lambda: driver.read(0.05))
    emulator.tell("set", "lag", 0.14)  # of a clock of its own, what all frames took was not seen; what they take more is
    until(lambda: (reading := driver.read(0.05)) and time.monotonic() - reading.stamp_s >= 0.06)


def record(rs, path, images, serial="recorded"):
    """Have the library record what its software device shows."""
    device = rs.software_device()
    device.register_info(rs.camera_info.serial_number, serial)
    sensor = device.add_sensor("RGB Camera")
    stream = rs.video_stream()
    stream.type, stream.fmt, stream.bpp = rs.stream.color, rs.format.rgb8, 3
    stream.width, stream.height, stream.fps = SIZE.values()
    profile = sensor.add_video_stream(stream).as_video_stream_profile()
    recorder = rs.recorder(str(path), device)
    recorded, queue = recorder.query_sensors()[0], rs.frame_queue(len(images))
    recorded.open(recorded.get_stream_profiles()[0])
    recorded.start(queue)
    for number, image in enumerate(images):
        frame = rs.software_video_frame()
        frame.profile, frame.bpp, frame.stride, frame.pixels = profile, 3, 3 * image.shape[1], image
        frame.frame_number, frame.timestamp, frame.domain = number, 1e12 + number * 1e3 / 30, rs.timestamp_domain.global_time
        sensor.on_video_frame(frame)
        queue.wait_for_frame(2000)
        time.sleep(1 / 30)  # a recording has the library's own time beside the stamps
    recorded.stop()
    recorded.close()


def test_a_recording_of_the_library_is_played_again_and_again(rs, tmp_path, opened):
    images = list(noisy(gel(64, 48, SPOT))) * 2
    record(rs, tmp_path / "day.db3", images)
    driver = opened(DEVICE, {"camera": str(tmp_path / "day.db3")}, **SIZE)
    shown, stamps_s = {image.tobytes() for image in images}, [0.0]
    for _ in range(30):
        reading = until(lambda: driver.read(0.05))
        assert reading.value.tobytes() in shown
        assert stamps_s[-1] < reading.stamp_s <= time.monotonic()
        stamps_s.append(reading.stamp_s)
    assert driver.health.counts["connections"] >= 2
    with pytest.raises(DeviceError, match="offers 64×48×30"):
        opened(DEVICE, {"camera": str(tmp_path / "day.db3")})


def test_of_several_cameras_the_one_with_the_number_is_taken(rs, tmp_path):
    """The library lists recordings that it has loaded beside cameras."""
    context, kept = rs.context(), []
    for serial in ("111", "222"):
        record(rs, tmp_path / f"{serial}.db3", [gel(64, 48, SPOT)], serial)
        kept.append(context.load_device(str(tmp_path / f"{serial}.db3")))
        for asked in ("any", serial) if len(kept) == 1 else (serial,):
            camera = Plugged(rs, context, asked)
            assert camera.device.get_info(rs.camera_info.serial_number) == serial
            assert camera.there()
    for asked in ("any", "333"):
        with pytest.raises(DeviceError, match=r"111, 222|222, 111"):
            Plugged(rs, context, asked)
