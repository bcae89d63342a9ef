"""Every driver against its emulator, over real sockets and ptys: what is alike for all, and what each fault of a wire leads to."""

import importlib
from ctypes.util import find_library
from importlib.metadata import entry_points

import numpy as np
import pytest
from emulated import Emulated, until

from tactus_core.config import from_mapping
from tactus_core.errors import ConfigError, DeviceError
from tactus_hardware.emulate import DEVICES
from tactus_hardware.optical.emulator import gel

KINDS = {name: importlib.import_module(f"tactus_hardware.{name}").DEVICE for name in DEVICES}
WRENCH = np.array([1.0, 2.0, -10.0, 0.1, -0.2, 0.3])
SPOT = (0.3, 0.6, 1.0)
PUSH = np.array([0.5, -0.3, 0.2, 0.1, 0.0, -1.0])
TOUCH = np.array([120.0, -60.0, 300.0])
# Of noise; of joints' resolution, and of a control loop over it.
NEAR = {
    "wrench": np.array([0.2] * 3 + [0.02] * 3), "hand": 0.002, "arm": 0.002, "leader": 0.002, "axes": 0.01,
    "allegro": 0.005, "anyskin": 4.0, "xela": 0.05, "image": 30, "camera": 30,
}  # fmt: skip
# The count that grows; '': nothing but missing or skipped readings shows it. What the wire cannot do to a device is left out.
EFFECTS = {
    "rdt": {
        "drop": "lost", "delay": "late", "checksum": "lost", "half": "malformed", "duplicate": "duplicate", "noise": "malformed",
        "stale": "duplicate", "stuck": "stuck", "saturation": "saturated",
    },
    "ft300": {
        "drop": "", "delay": "skipped", "checksum": "checksum", "half": "checksum", "duplicate": "repeated", "noise": "",
        "stale": "repeated", "stuck": "repeated", "saturation": "out_of_range",
    },
    "leap": {
        "drop": "timeout", "delay": "timeout", "checksum": "checksum", "half": "checksum", "duplicate": "old", "noise": "",
        "stale": "old", "saturation": "alert",
    },
    "gello": {"drop": "timeout", "stale": "old", "saturation": "alert"},  # the rest is the code of leap
    "inspire": {
        "drop": "timeout", "delay": "timeout", "checksum": "timeout", "half": "timeout", "duplicate": "", "noise": "timeout",
        "stale": "timeout", "saturation": "alert",
    },
    "so101": {
        "drop": "timeout", "delay": "timeout", "checksum": "checksum", "half": "checksum", "duplicate": "old", "noise": "",
        "stale": "old", "saturation": "alert",
    },
    "spacemouse": {"drop": "", "delay": "", "checksum": "", "half": "malformed", "duplicate": "", "noise": "malformed"},
    "ur": {
        "drop": "lost", "delay": "", "checksum": "lost", "half": "malformed", "duplicate": "repeated", "noise": "malformed",
        "stale": "repeated", "stuck": "repeated", "saturation": "alert",
    },
    "allegro": {
        "drop": "lost", "delay": "late", "checksum": "lost", "half": "malformed", "duplicate": "duplicate", "noise": "malformed",
        "stale": "duplicate", "stuck": "stuck", "saturation": "alert",
    },
    "robotiq": {
        "drop": "timeout", "delay": "timeout", "checksum": "damaged", "half": "timeout", "duplicate": "", "noise": "damaged",
        "stale": "damaged", "saturation": "alert",
    },
    "anyskin": {
        "drop": "", "delay": "skipped", "half": "damaged", "duplicate": "repeated", "noise": "damaged", "stale": "repeated",
        "stuck": "repeated", "saturation": "out_of_range",
    },
    "optical": {
        "drop": "", "delay": "", "checksum": "", "half": "damaged", "duplicate": "repeated", "noise": "connections",
        "stale": "repeated", "stuck": "repeated", "saturation": "blind",
    },
    # Behind a library: what the wire does to a frame is the library's to find.
    "realsense": {"drop": "skipped", "stale": "repeated", "saturation": "blind"},
    "uvc": {"drop": "", "stale": "repeated"},  # the rest is the code of optical
    "xela": {
        "drop": "lost", "delay": "skipped", "checksum": "lost", "half": "malformed", "duplicate": "duplicate", "noise": "malformed",
        "stale": "duplicate", "stuck": "repeated", "saturation": "saturated",
    },
}  # fmt: skip
# Of the frames, where not a fifth of them; a bus of servos puts a reading together from many.
SHARES = {"leap": 0.02, "gello": 0.03, "inspire": 0.05, "robotiq": 0.1, "so101": 0.03, "spacemouse": 0.02, "ur": 0.02}
# A hand that takes currents drifts while its driver is kept from running, unless it stands and holds: readings for which it has to.
STILL = {"allegro": 20}
LACKING = pytest.mark.skipif(find_library("usb-1.0") is None, reason="pyrealsense2 needs libusb-1.0-0, which is not installed")
NAMES = [pytest.param(name, marks=LACKING) if name == "realsense" else name for name in DEVICES]
EACH = pytest.mark.parametrize("name", NAMES)


def pose_for(kind):
    return np.linspace(0.05, 0.2, len(kind.joints))


def settle(kind, driver, emulator):
    """Give the device something to measure; return what a reading has to say."""
    if kind.measures == "wrench":
        emulator.tell("set", "wrench", *WRENCH)
        until(lambda: (reading := driver.read(0.05)) and near(kind, reading, WRENCH))
        return WRENCH
    if kind.measures == "axes":
        emulator.tell("set", "push", *PUSH)
        until(lambda: (reading := driver.read(0.05)) and near(kind, reading, PUSH))
        return PUSH
    if kind.measures == "leader":
        for joint, rad in enumerate(pose_for(kind)[:7]):
            emulator.tell("set", "position", joint, rad)
        until(lambda: (reading := driver.read(0.05)) and near(kind, reading, pose_for(kind)[:7]))
        return pose_for(kind)[:7]
    if kind.measures in ("image", "camera"):
        emulator.tell("set", "press", *SPOT)
        until(lambda: (reading := driver.read(0.05)) and near(kind, reading, gel(320, 240, SPOT)))
        return gel(320, 240, SPOT)
    if kind.measures == "taxels":
        verb, scale = {"anyskin": ("field", 1.0), "xela": ("press", 0.01)}[kind.name]
        truth = np.zeros_like(until(lambda: driver.read(0.05)).value.value)  # a skin finds its baseline before it is touched
        truth[2] = scale * TOUCH
        emulator.tell("set", verb, 2, *truth[2])
        until(lambda: (reading := driver.read(0.05)) and near(kind, reading, truth))
        return truth

    seen = []

    def there():
        driver.command(pose_for(kind))
        if (reading := driver.read(0.05)) is not None:
            seen.append(near(kind, reading, pose_for(kind)))
        return len(seen) >= STILL.get(kind.name, 1) and all(seen[-STILL.get(kind.name, 1) :])

    until(there)
    if kind.name in STILL:
        until(lambda: driver.read(0.05) and "no fresh command" in driver.health.trouble)
    return pose_for(kind)


def near(kind, reading, truth):
    name = {"hand": "position_rad", "arm": "position_rad", "leader": "position_rad", "taxels": "value", "axes": "axes"}.get(kind.measures)
    value = getattr(reading.value, name) if name else reading.value
    return bool((np.abs(value.astype(np.float64) - truth) < NEAR.get(kind.name, NEAR.get(kind.measures))).all())


def read_until(driver, enough, kind, truth):
    """Read until there is enough; whatever comes has to be true, and new."""
    stamps, reads = [0.0], 0
    while not enough() or len(stamps) < 10:
        reads += 1
        assert reads < 5000, driver.health.trouble
        reading = driver.read(0.05)
        if reading is not None:
            assert near(kind, reading, truth)
            assert reading.stamp_s > stamps[-1]
            stamps.append(reading.stamp_s)


@EACH
def test_reads_and_leaves(name, emulate, opened):
    kind, emulator = KINDS[name], emulate(name)
    driver = opened(kind, emulator.address)
    read_until(driver, lambda: driver.health.counts["readings"] >= 20, kind, settle(kind, driver, emulator))
    assert driver.health.connected
    driver.close()
    driver.close()
    assert not driver.health.connected
    with pytest.raises(DeviceError, match="not open"):
        driver.read(0.0)


@pytest.fixture(scope="module", params=NAMES)
def live(request):
    """A device that all its faults strike, one after the other: kind, driver, emulator."""
    kind, emulator = KINDS[request.param], Emulated(request.param)
    more = {"activate": True} if kind.name == "robotiq" else {}
    driver = kind.make(from_mapping(kind.config, {**emulator.address, **more}, "the test"))
    driver.open()
    yield kind, driver, emulator
    driver.close()
    emulator.close()


def reopened(driver):
    driver.close()
    try:
        driver.open()
    except DeviceError:
        return False
    return True


@pytest.mark.parametrize("fault", sorted({fault for effects in EFFECTS.values() for fault in effects}))
def test_a_fault_is_counted_and_nothing_wrong_is_passed_on(live, fault):
    kind, driver, emulator = live
    if fault not in EFFECTS[kind.name]:
        pytest.skip("does not happen to this device")
    truth = settle(kind, driver, emulator)
    before, count = dict(driver.health.counts), EFFECTS[kind.name][fault]
    emulator.tell("fault", fault, SHARES.get(kind.name, 0.2))
    read_until(driver, lambda: not count or driver.health.counts[count] - before[count] >= 3, kind, truth)
    emulator.tell("clear")
    if fault == "saturation" and kind.measures == "hand":  # a motor that has shut down wants a person who switches it off and on
        emulator.tell("disconnect", 0.05)
        until(lambda: reopened(driver))
        truth = settle(kind, driver, emulator)
    done = driver.health.counts["readings"] + 20
    read_until(driver, lambda: driver.health.counts["readings"] >= done, kind, truth)


@EACH
def test_connects_again(name, emulate, opened):
    kind, emulator = KINDS[name], emulate(name)
    driver = opened(kind, emulator.address)
    truth = settle(kind, driver, emulator)
    emulator.tell("disconnect", 0.3)
    until(lambda: driver.read(0.05) is None and not driver.health.connected)
    assert driver.health.trouble
    if kind.measures in ("hand", "arm"):
        assert driver.command(pose_for(kind)) is None, "nothing is sent to joints that are not there, and nobody is told so"
    reading = until(lambda: driver.read(0.05))
    assert near(kind, reading, truth)
    assert driver.health.counts["connections"] == 2


@EACH
def test_a_device_that_is_not_there_is_named(name, emulate):
    kind, emulator = KINDS[name], emulate(name)
    emulator.tell("disconnect", 60)
    driver = kind.make(from_mapping(kind.config, emulator.address, "the test"))
    with pytest.raises(DeviceError, match="cannot open"):
        driver.open()


@EACH
def test_a_device_that_stays_silent_is_named(name, emulate):
    kind, emulator = KINDS[name], emulate(name)
    emulator.tell("fault", "drop", 1.0)
    driver = kind.make(from_mapping(kind.config, emulator.address, "the test"))
    with pytest.raises(DeviceError, match=r"[Cc]heck|firewall"):
        driver.open()


@EACH
def test_kinds_say_what_they_are(name):
    kind = KINDS[name]
    assert entry_points(group="tactus.devices")[name].load() is kind
    assert kind.name == name
    assert (kind.measures in ("hand", "arm", "leader")) == bool(kind.joints)
    with pytest.raises(ConfigError, match="unknown parameter"):
        from_mapping(kind.config, {"prot": 1}, "the test")


def test_an_emulator_says_what_it_did_not_understand(emulate):
    emulator = emulate("ft300")
    for words in (("dance",), ("fault", "fire", "1"), ("fault", "drop", "2"), ("set", "wrench", "1"), ("fault",)):
        with pytest.raises(AssertionError, match="was not understood"):
            emulator.tell(*words)
