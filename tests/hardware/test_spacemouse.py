"""SpaceMouse over spacenavd's socket: what is this device's own, and the emulator against the daemon's own client library."""

import ctypes

import numpy as np
import pytest
from emulated import until
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.errors import DataError
from tactus_hardware.spacemouse import DEVICE, protocol
from tactus_hardware.spacemouse.protocol import Event, Puck

FULL = 350.0


@pytest.mark.parametrize(
    ("pushed", "axis", "sign"),
    [
        ((0, 0, FULL, 0, 0, 0), 0, 1), ((FULL, 0, 0, 0, 0, 0), 1, -1), ((0, FULL, 0, 0, 0, 0), 2, 1),  # away, right, up
        ((0, 0, 0, 0, 0, FULL), 3, 1), ((0, 0, 0, -FULL, 0, 0), 4, 1), ((0, 0, 0, 0, -FULL, 0), 5, -1),  # front edge down, clockwise
    ],
)  # fmt: skip
def test_axes_are_forward_left_up_and_turn_as_ros_has_it(pushed, axis, sign):
    expected = np.zeros(6)
    expected[axis] = sign
    assert protocol.axes(pushed, FULL).tolist() == expected.tolist()


@settings(max_examples=30)
@given(st.lists(st.integers(-350, 350), min_size=6, max_size=6))
def test_counts_mean_axes_and_back(counts):
    assert protocol.counts(protocol.axes(counts, FULL), FULL) == tuple(counts)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans())))
def test_buttons_are_down_from_press_to_release(words):
    puck, down = Puck(), {}
    for button, press in words:
        puck.follow(Event(protocol.PRESS if press else protocol.RELEASE, (button, *[0] * 6)))
        down[button] = press
    assert {i for i, pressed in enumerate(puck.buttons) if pressed} == {i for i, pressed in down.items() if pressed}
    assert (puck.counts is None) == (not words)


@pytest.mark.parametrize("numbers", [(7,), (-1,), (0, 9999), (0, 0, 0, 0, 0, 0, 0, -5), (1, 64), (2, -1)])
def test_what_is_no_event_is_refused(numbers):
    with pytest.raises(DataError, match="no event"):
        protocol.parse_event(np.array([*numbers, *[0] * 7][:8], dtype=np.int32).tobytes())


class Motion(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in ("type", "x", "y", "z", "rx", "ry", "rz", "period")] + [("data", ctypes.c_void_p)]


def test_libspnav_reads_the_emulator(emulate, monkeypatch):
    try:
        library = ctypes.CDLL("libspnav.so.0")
    except OSError:
        pytest.skip("no libspnav here: sudo apt install libspnav0")
    emulator, event = emulate("spacemouse"), Motion()
    monkeypatch.setenv("SPNAV_SOCKET", emulator.address["socket"])
    assert library.spnav_open() != -1
    try:
        emulator.tell("set", "push", 0.5, -0.25, 1, 0, 0, 0.1)  # forward, to the right, up, counterclockwise
        until(lambda: library.spnav_poll_event(ctypes.byref(event)) == 1)
        assert [event.x, event.y, event.z, event.rx, event.ry, event.rz] == pytest.approx([88, 350, 175, 0, 35, 0], abs=3)
        emulator.tell("set", "push", 0, 0, 0, 0, 0, 0)
        emulator.tell("set", "button", 1, 1)
        until(lambda: library.spnav_poll_event(ctypes.byref(event)) == 2)
        assert (event.x, event.y) == (1, 1)  # pressed, which
    finally:
        library.spnav_close()


def press(emulator, button):
    """Press, again where that has waited too long to be believed."""
    return emulator.tell("set", "button", button, 1) is not None


def test_a_puck_at_rest_is_told_again_and_one_that_is_pushed_in_silence_is_not_believed(emulate, opened):
    emulator = emulate("spacemouse")
    driver = opened(DEVICE, emulator.address)
    assert driver.read(0.1) is None, "nothing is known of it yet"
    assert "Move it once" in driver.health.trouble
    until(lambda: press(emulator, 1) and (reading := driver.read(0.05)) and reading.value.buttons == (0, 1))
    for _ in range(5):
        assert until(lambda: driver.read(0.05)).value.buttons == (0, 1)
    emulator.tell("set", "steady", 1)
    emulator.tell("set", "push", 1, 0, 0, 0, 0, 0)
    assert until(lambda: driver.read(0.05)).value.axes.any()
    until(lambda: driver.read(0.05) is None and "has said nothing since" in driver.health.trouble)
    emulator.tell("set", "push", 0, 0, 0, 0, 0, 0)
    assert not until(lambda: driver.read(0.05)).value.axes.any()
    assert driver.health.counts["connections"] == 1


def test_buttons_that_may_have_changed_unseen_are_not_told_until_that_was_noticed(emulate, opened):
    """A dead-man's switch that seems let go when the daemon starts anew would give control to the policy."""
    emulator = emulate("spacemouse")
    driver = opened(DEVICE, emulator.address)
    for lose in (("set", "plugged", 0), ("disconnect", 0.0)):
        last_s = until(lambda: press(emulator, 0) and (reading := driver.read(0.05)) and reading.value.buttons[0] and reading).stamp_s
        emulator.tell(*lose)
        until(lambda: driver.read(0.05) is None)
        until(lambda: driver.health.connected or driver.read(0.05))
        emulator.tell("set", "push", 0, 0, 0.1, 0, 0, 0)
        reading = until(lambda: driver.read(0.05))
        assert reading.stamp_s - last_s >= 0.5
        emulator.tell("set", "push", 0, 0, 0, 0, 0, 0)
