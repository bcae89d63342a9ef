"""RDT over UDP: what is this sensor's own, and the emulator against a client that others wrote."""

import numpy as np
import pytest
from emulated import until
from pynetft import Client, Config

from tactus_hardware.rdt import DEVICE

WRENCH = np.array([1.0, 2.0, -10.0, 0.1, -0.2, 0.3])


def test_pynetft_reads_the_emulator(emulate):
    emulator = emulate("rdt")
    emulator.tell("set", "wrench", *WRENCH)
    address = emulator.address
    with Client(Config(sensor_host=address["host"], rdt_port=address["rdt_port"], http_port=address["http_port"])) as client:
        samples = [sample for _, sample in zip(range(200), client.samples(timeout=5.0), strict=False)]
        health = client.health()
    assert np.mean([sample.wrench for sample in samples], axis=0) == pytest.approx(WRENCH, abs=0.02)
    assert samples[0].force_unit.value == "N"
    assert health.malformed_count == health.duplicate_count == health.out_of_order_count == health.device_error_count == 0
    assert not emulator.tell("state")["streaming"], "it was asked to stop"


def test_pynetft_and_we_agree_on_faults(emulate):
    """What our driver counts, theirs counts: neither reads the emulator's bytes as only its author would."""
    emulator = emulate("rdt", "--fault", "duplicate=0.2", "--fault", "half=0.2")
    address = emulator.address
    with Client(Config(sensor_host=address["host"], rdt_port=address["rdt_port"], http_port=address["http_port"])) as client:
        for _, _ in zip(range(200), client.samples(timeout=5.0), strict=False):
            pass
        health = client.health()
    assert health.duplicate_count > 0
    assert health.malformed_count > 0


def test_a_hex_has_a_fixed_calibration(emulate, opened):
    emulator = emulate("rdt")
    emulator.tell("set", "wrench", *WRENCH)
    driver = opened(DEVICE, emulator.address, model="hex", http_port=1)
    reading = until(lambda: driver.read(0.05))
    assert reading.value == pytest.approx(WRENCH, abs=0.2)


def test_pressing_the_emulated_sensor_pushes_the_tool_back(emulate, opened):
    emulator = emulate("rdt")
    driver = opened(DEVICE, emulator.address, says="by_tool")
    emulator.tell("set", "wrench", 0, 0, 25, 0, 0, 0)  # as the tool's push on the board
    reading = until(lambda: (found := driver.read(0.05)) and abs(found.value[2]) > 20 and found)
    assert reading.value[2] == pytest.approx(-25.0, abs=0.2)


@pytest.mark.parametrize(
    ("status", "count", "passes"), [(0x80010000, None, True), (0x80020000, "saturated", False), (0x00000001, "status", False)]
)
def test_status_decides_whether_a_reading_counts(status, count, passes, emulate, opened):
    emulator = emulate("rdt")
    driver = opened(DEVICE, emulator.address)
    until(lambda: driver.read(0.05))
    emulator.tell("set", "status", status)
    driver.read(0.0)  # what came before
    if passes:
        until(lambda: driver.read(0.05) and "monitor" in driver.health.trouble)
    else:
        until(lambda: driver.health.counts[count] > 20 or driver.read(0.05))
        assert driver.read(0.05) is None
        assert f"{status:08x}" in driver.health.trouble
        assert driver.health.connected, "a sensor that says that it is saturated is there"
        emulator.tell("set", "status", 0)
        until(lambda: driver.read(0.05))
        assert driver.health.trouble == ""


def test_nothing_beyond_the_range_is_passed_on(emulate, opened):
    emulator = emulate("rdt")
    driver = opened(DEVICE, emulator.address, range_N=50.0)
    emulator.tell("set", "wrench", 0, 0, -51, 0, 0, 0)
    until(lambda: driver.health.counts["out_of_range"] > 20 or driver.read(0.05))
    assert driver.read(0.05) is None


def test_what_waited_in_the_buffer_is_not_passed_on(emulate, opened):
    """A socket's buffer keeps the oldest and drops the newest: after a pause even its last record is old, though nobody has seen it."""
    emulator = emulate("rdt")
    driver = opened(DEVICE, emulator.address)
    until(lambda: driver.read(0.05))
    sequence = emulator.tell("state")["sequence"]
    # Far more records than the buffer holds; then the sensor is gone, and what lies there is all there is.
    until(lambda: emulator.tell("state")["sequence"] > sequence + 2000)
    emulator.tell("disconnect", 60)
    assert driver.read(0.05) is None
    assert driver.health.counts["late"] == 1
