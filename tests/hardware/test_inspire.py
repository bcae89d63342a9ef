"""Inspire RH56: its serial line, and its touch; what it has alike with other hands is tested with them, over TCP."""

import numpy as np
import pytest
from emulated import Emulated, until
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client import ModbusSerialClient

from tactus_core.config import from_mapping
from tactus_core.errors import ConfigError, DeviceError
from tactus_hardware.inspire import DEVICE, protocol, touch

BOTH = pytest.mark.parametrize("wire", ["tcp", "rtu"])
# Of the serial line; those of the network are with the other devices'.
RTU_FAULTS = {
    "drop": "timeout", "delay": "timeout", "checksum": "damaged", "half": "timeout", "duplicate": "", "noise": "damaged",
    "stale": "damaged",
}  # fmt: skip
POSE_RAD = np.linspace(0.1, 0.3, 6)
NEAR_RAD = 0.002


@pytest.fixture(scope="module")
def emulator():
    hand = Emulated("inspire")
    yield hand
    hand.close()


@pytest.fixture
def hand(emulator):
    """A hand that is well again, whatever the test before did to it."""
    emulator.tell("clear")
    emulator.tell("set", "feels", 1)
    return emulator


def is_at(reading, target_rad):
    return reading is not None and np.abs(reading.value.position_rad - target_rad).max() < NEAR_RAD


def reach(driver, target_rad):
    def there():
        driver.command(target_rad)
        return is_at(driver.read(0.05), target_rad)

    until(there)


def felt(driver):
    """Read until all taxels have come; return the reading that brought them, and how many came without any."""
    without = 0
    while True:
        reading = driver.read(0.05)
        if reading is not None and reading.value.taxels is not None:
            return reading, without
        without += 1
        assert without < 500, driver.health.trouble


def test_patches_lie_where_others_read_them():
    """Unitree's SDK names these addresses and sizes, and the maker's manual where fingers begin and end."""
    sizes = {patch.address: (patch.rows, patch.columns) for patch in touch.PATCHES}
    finger = ((0, (3, 3)), (18, (12, 8)), (210, (10, 8)))
    expected = {start + more: size for start in (3000, 3370, 3740, 4110) for more, size in finger}
    assert sizes == expected | {4480: (3, 3), 4498: (12, 8), 4690: (3, 3), 4708: (12, 8), 4900: (14, 8)}
    assert len(touch.NAMES) == len(set(touch.NAMES)) == 1062 == (touch.END - 3000) // 2
    assert (touch.NAMES[0], touch.NAMES[-1]) == ("little_tip/0", "palm/111")


@given(st.integers(1, 14), st.integers(1, 3))
def test_a_scan_brings_each_taxel_once_and_is_as_old_as_its_oldest(rows, scans):
    scan, asked = touch.Scan(rows), []
    for number in range(scans):
        asked.clear()
        found = None
        while found is None:
            address, count = scan.next
            assert 1 <= count <= 125
            assert count not in (protocol.ERROR_REGISTERS, len(protocol.JOINTS)), "a late answer of the joints would pass for touch"
            asked.append((address, count))
            found = scan.take(100.0 * number + len(asked), range(address, address + 2 * count, 2))
        assert found.stamp_s == 100.0 * number + 1
        assert found.value.value[:, 2].tolist() == list(range(3000, touch.END, 2)), "each where its register says"
        patches = {(patch.address, patch.address + 2 * patch.count) for patch in touch.PATCHES}
        assert all(any(begin <= a and a + 2 * n <= end for begin, end in patches) for a, n in asked), "no read leaves its patch"


@BOTH
def test_touch_comes_with_every_so_many_readings_and_claims_no_force_and_no_place(wire, hand, opened):
    hand.tell("set", "touch", list(touch.FINGERS).index("index"), 9 + 13, 321)
    hand.tell("set", "touch", 5, 111, -4)
    rows, parts = {"tcp": (14, 17), "rtu": (4, 40)}[wire]
    driver = opened(DEVICE, hand.address, wire=wire, touch_rows=rows)
    felt(driver)
    reading, without = felt(driver)
    assert without == parts - 1
    taxels = reading.value.taxels
    assert taxels.stamp_s < reading.stamp_s, "as old as the oldest"
    pressed = {name: value for name, value in zip(taxels.value.names, taxels.value.value[:, 2], strict=True) if value}
    assert pressed == {"index_nail/13": 321, "palm/111": -4}
    assert taxels.value.unit == "counts"
    assert np.isnan(taxels.value.value[:, :2]).all(), "one number each"
    assert np.isnan(taxels.value.position_m).all()


@BOTH
def test_a_hand_without_touch_is_found_out_on_opening(wire, hand, opened):
    hand.tell("set", "feels", 0)
    driver = opened(DEVICE, hand.address, wire=wire)
    assert until(lambda: driver.read(0.05)).value.taxels is None
    driver.close()
    with pytest.raises(DeviceError, match="set touch_rows to 0"):
        opened(DEVICE, hand.address, wire=wire, touch_rows=14)


def test_touch_is_left_out_where_the_joints_leave_no_time(hand, opened):
    driver = opened(DEVICE, hand.address, touch_rows=14)
    driver._deadline_s = 0.0  # long ago
    assert driver._felt() is None
    assert driver.health.counts["touch_left_out"] == 1
    assert felt(driver)[1] == 16, "it goes on where it was"


def test_over_the_serial_line_it_moves_holds_and_is_left_as_it_is(hand, opened):
    driver = opened(DEVICE, hand.address, wire="rtu", force_limit_N=9.8)
    hand.tell("set", "force", 3, 500)
    reach(driver, POSE_RAD)
    assert driver.read(0.05).value.force_N == pytest.approx([0, 0, 0, 4.903325, 0, 0])
    assert hand.tell("state")["force_limit"] == [999] * 6
    driver.command(protocol.LIMITS_RAD[:, 1])
    until(lambda: driver.read(0.05) and "no fresh command" in driver.health.trouble)
    until(lambda: is_at(driver.read(0.05), hand.tell("state")["position_rad"]))
    goal = hand.tell("state")["goal"]
    driver.close()
    assert (np.abs(np.subtract(hand.tell("state")["goal"], goal)) <= 1).all()


# Without touch and commands, reads of one length would follow each other: answers that are not their own must show all the same.
@pytest.mark.parametrize(("touch_rows", "faults", "enough"), [(14, tuple(RTU_FAULTS), 20), (0, ("stale",), 100)])
def test_faults_of_the_serial_line_are_counted_and_nothing_wrong_is_passed_on(touch_rows, faults, enough, hand, opened):
    driver = opened(DEVICE, hand.address, wire="rtu", touch_rows=touch_rows, retry_first_s=0.001, retry_longest_s=0.01)
    reach(driver, POSE_RAD)
    for fault in faults:
        count = RTU_FAULTS[fault]
        before, readings = dict(driver.health.counts), 0
        hand.tell("fault", fault, 0.05)
        while readings < enough or (count and driver.health.counts[count] - before[count] < 2):
            reading = driver.read(0.05)
            readings += reading is not None
            assert reading is None or is_at(reading, POSE_RAD)
            if reading is not None and reading.value.taxels is not None:
                assert not reading.value.taxels.value.value[:, 2].any(), "nobody touches it"
        hand.tell("clear")
        until(lambda: driver.read(0.05))


def test_a_late_answer_is_not_taken_for_one_of_now(hand, opened):
    """Answers carry no number: what was measured before a finger moved comes while the driver waits for where it is now."""
    driver = opened(DEVICE, hand.address, wire="rtu")
    hand.tell("fault", "saturation", 1.0)  # a motor in trouble stays where it is put
    until(lambda: driver.read(0.05) and driver.health.counts["alert"])
    hand.tell("fault", "delay", 1.0)
    assert driver.read(0.0) is None
    hand.tell("fault", "delay", 0.0)
    hand.tell("set", "angle", 2, 400)
    reading = until(lambda: driver.read(0.05))
    assert reading.value.position_rad[2] == pytest.approx(0.6 * 1.7, abs=NEAR_RAD)


def test_pymodbus_reads_and_moves_the_emulator_on_the_serial_line(hand):
    hand.tell("set", "touch", 4, 9 + 96, 77)
    with ModbusSerialClient(hand.address["serial_port"], baudrate=115_200) as client:
        assert not client.write_registers(protocol.ANGLE_SET, [900, 800, 700, 600, 500, 400], device_id=1).isError()
        until(lambda: client.read_holding_registers(protocol.ANGLE_ACT, count=6, device_id=1).registers == [900, 800, 700, 600, 500, 400])
        assert client.read_holding_registers(4690, count=9, device_id=1).registers == [77] + [0] * 8, "the thumb's middle"
        assert client.read_holding_registers(touch.END, count=1, device_id=1).exception_code == 2


def test_what_cannot_be_is_refused_before_anything_is_opened():
    for wrong, why in (({"wire": "rtu"}, "'serial_port'"), ({"host": ""}, "'host'")):
        with pytest.raises(ConfigError, match=why):
            DEVICE.make(from_mapping(DEVICE.config, wrong, "the test"))
