"""Optical touch: what becomes of a frame, sources that OpenCV hangs on, and real frames over the emulator's wire."""

import socket
import time

import numpy as np
import pytest
import simplejpeg
from emulated import until
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Picture

from tactus_core.config import from_mapping
from tactus_core.errors import DataError, DeviceError
from tactus_core.perception.contact import ContactConfig, ContactDetector
from tactus_hardware.optical import DEVICE
from tactus_hardware.optical.config import PROFILES, Profile
from tactus_hardware.optical.emulator import gel
from tactus_hardware.optical.protocol import decode

PLAIN = PROFILES["plain"]
GEL = gel(64, 48, (0.25, 0.25, 1.0))
JPEG = simplejpeg.encode_jpeg(GEL, 95, "RGB")


def row(data):
    return np.frombuffer(data, dtype=np.uint8).reshape(1, -1)


def test_a_frame_is_decoded_turned_and_padded_frames_too():
    image = decode(row(JPEG + bytes(100)), PLAIN, "none")
    assert np.abs(image.astype(int) - GEL).max() < 20
    assert np.array_equal(decode(row(JPEG), PLAIN, "both"), image[::-1, ::-1])
    assert np.array_equal(decode(row(JPEG), PLAIN, "horizontal"), image[:, ::-1])
    assert np.array_equal(decode(row(JPEG), PLAIN, "vertical"), image[::-1])


def test_the_border_of_a_gelsight_mini_is_cut_off_and_the_rest_made_small():
    big = np.repeat(np.repeat(gel(820, 616, (0.5, 0.5, 1.0)), 4, axis=0), 4, axis=1)
    image = decode(row(simplejpeg.encode_jpeg(big, 90, "RGB")), PROFILES["gelsight_mini"], "none")
    assert image.shape == (240, 320, 3)
    x, y = round(820 / 7), round(616 / 7)
    whole = np.asarray(
        Picture.fromarray(gel(820, 616, (0.5, 0.5, 1.0))[y : 616 - y, x : 820 - x]).resize((320, 240), Picture.Resampling.BOX)
    )
    assert np.abs(image.astype(int) - whole).mean() < 2.0


def test_yuyv_is_decoded():
    grey = np.full((4, 6, 2), 128, dtype=np.uint8)
    grey[..., 0] = np.arange(24).reshape(4, 6) + 100
    image = decode(grey, Profile((6, 4)), "none")
    assert image.shape == (4, 6, 3)
    # BT.601 with studio range: black is 16, white 235.
    assert np.abs(image - ((grey[..., :1].astype(float) - 16) * 255 / 219)).max() <= 2.0


@given(st.integers(3, len(JPEG) - 1))
@settings(max_examples=200, deadline=None)
def test_a_frame_that_is_cut_short_or_two_in_one_is_refused(cut):
    for damaged in (JPEG[:cut], JPEG[:cut] + b"\r\n--frame\r\n\r\n" + JPEG, JPEG + JPEG, JPEG[cut:]):
        with pytest.raises(DataError):
            decode(row(damaged), PLAIN, "none")


def test_a_frame_of_another_size_is_refused():
    with pytest.raises(DataError, match="right camera"):
        decode(row(JPEG), PROFILES["digit"], "none")
    with pytest.raises(DataError, match="YUYV"):
        decode(np.zeros((4, 4, 3), dtype=np.uint8), PLAIN, "none")


def test_the_wrong_profile_is_named(emulate, opened):
    emulator = emulate("optical")
    emulator.tell("set", "size", 640, 480)
    with pytest.raises(DeviceError, match="profile"):
        opened(DEVICE, emulator.address, profile="digit")


def test_a_camera_that_is_not_there_is_named(opened):
    for source in ("/dev/video-not-here", "99", "http://127.0.0.1:9/touch.mjpg"):
        with pytest.raises(DeviceError, match="cannot open"):
            opened(DEVICE, {"source": source})


def test_a_source_that_opencv_hangs_on_holds_nobody_up():
    """A server that takes the connection and says nothing: OpenCV waits a second, and cannot be told to stop."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/touch.mjpg"
        driver = DEVICE.make(from_mapping(DEVICE.config, {"source": url}, "the test"))
        with pytest.raises(DeviceError):
            driver.open()
        began_s = time.monotonic()
        driver.close()
        assert time.monotonic() - began_s < 0.2


def test_a_stream_that_falls_silent_holds_nobody_up_and_comes_back(emulate, opened):
    emulator = emulate("optical")
    driver = opened(DEVICE, emulator.address, silence_s=0.2)
    until(lambda: driver.read(0.05))
    emulator.tell("fault", "drop", 1.0)
    longest_s = 0.0

    def lost():
        nonlocal longest_s
        began_s = time.monotonic()
        reading = driver.read(0.1)
        longest_s = max(longest_s, time.monotonic() - began_s)
        return reading is None and "let go" in driver.health.trouble

    until(lost)
    assert longest_s < 0.2
    emulator.tell("clear")
    assert until(lambda: driver.read(0.05)).value.shape == (240, 320, 3)
    assert driver.health.counts["connections"] == 2


def test_what_waited_while_nobody_read_is_not_passed_on(emulate, opened):
    emulator = emulate("optical")
    driver = opened(DEVICE, emulator.address)
    until(lambda: driver.read(0.05))
    time.sleep(0.2)
    emulator.tell("set", "press", 0.5, 0.5, 1.0)
    time.sleep(0.2)
    reading = until(lambda: driver.read(0.05))
    assert np.abs(reading.value.astype(int) - gel(320, 240, (0.5, 0.5, 1.0))).mean() < 4.0
    assert driver.health.counts["skipped"] > 5


def test_it_can_be_opened_again_at_once(emulate, opened):
    driver = opened(DEVICE, emulate("optical").address)
    for _ in range(3):
        driver.close()
        driver.open()
        until(lambda: driver.read(0.05))
    assert driver.health.counts["connections"] == 4


def test_a_latency_that_was_measured_makes_stamps_older(emulate, opened):
    driver = opened(DEVICE, emulate("optical").address, latency_s=0.05)
    reading = until(lambda: driver.read(0.05))
    assert time.monotonic() - reading.stamp_s > 0.05


def played(opened, emulator, enough, **values):
    """Return what the driver reads of a recording."""
    emulator.tell("set", "rate", 60)
    driver = opened(DEVICE, emulator.address, **values)
    return [until(lambda: driver.read(0.05)).value for _ in range(enough)]


def test_real_presses_of_a_gelsight_are_felt_over_the_wire(data, emulate, opened):
    folder = data("tactile/gelsight_mini_ball_press")
    images = played(opened, emulate("optical", "--play", str(folder / "9.500mm")), 7)
    background = np.asarray(Picture.open(folder / "background.png").convert("RGB"))
    for image in images:
        detector = ContactDetector(ContactConfig(reference_frames=1))
        detector.step(background)
        assert detector.step(image).touching


def test_a_real_9dtact_passes_as_what_it_is(data, emulate, opened):
    """Two pictures, one untouched and one of pins pressed in, by turns."""
    folder = data("tactile/9dtact_sensor_1/camera_calibration")
    images = played(opened, emulate("optical", "--play", str(folder)), 2, profile="9dtact")
    detector = ContactDetector(ContactConfig(reference_frames=1))
    detector.step(np.asarray(Picture.open(folder / "ref.png").convert("RGB")))
    assert sorted(detector.step(image).touching for image in images) == [False, True]


def test_a_real_press_and_release_is_felt_over_the_wire(data, emulate, opened):
    """19 of the 56 frames show contact (see test_real_touch); noise of the JPEG makes none of the others one."""
    path = data("tactile/gelsight_mini_touch_seq/touch_real_seq_320x240.gif")
    images = played(opened, emulate("optical", "--play", str(path)), 60)
    detector = ContactDetector(ContactConfig(reference_frames=1))
    untouched = np.median(images, axis=0).astype(np.uint8)
    detector.step(untouched)
    share = np.mean([detector.step(image).touching for image in images])
    assert share == pytest.approx(19 / 56, abs=0.1)
