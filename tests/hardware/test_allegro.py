"""Allegro V5 Sense over UDP: what is this hand's own. No client of others' installs from PyPI; the maker's is C++ for ROS."""

import struct

import numpy as np
import pytest
from emulated import until
from hypothesis import given
from hypothesis import strategies as st

from tactus_core.config import from_mapping
from tactus_core.errors import DataError
from tactus_hardware.allegro import DEVICE, protocol
from tactus_hardware.allegro.control import PositionControl
from tactus_hardware.allegro.protocol import Packet

WORDS = st.integers(0, 2**32 - 1)
RADIANS = st.lists(st.floats(-10.0, 10.0), min_size=16, max_size=16).map(np.array)


def test_the_wire_begins_with_the_thumb_and_the_urdf_ends_with_it():
    body = struct.pack("<I16h16h16H16i", 9, *range(16), *range(16, 32), *range(100, 116), *[0] * 16)
    telemetry = protocol.parse_telemetry(body)
    assert telemetry.number == 9
    assert np.rad2deg(telemetry.position_rad) / 0.088 == pytest.approx([*range(4, 16), 0, 1, 2, 3])
    assert telemetry.current_A[12] == pytest.approx(0.016)
    assert telemetry.touch == pytest.approx(np.arange(100, 116) / 10), "as the wire has it: the palm first"
    assert (protocol.TAXELS[0], protocol.TAXELS[3], protocol.TAXELS[7]) == ("palm", "thumb_tip", "index_tip")
    currents = np.arange(16) * 0.001
    assert struct.unpack("<16h", protocol.pack_currents(currents)) == (12, 13, 14, 15, *range(12))
    assert protocol.parse_currents(protocol.pack_currents(currents)) == pytest.approx(currents)


@given(st.integers(0, 255), WORDS, WORDS, st.binary(max_size=200), st.integers(0, 300))
def test_only_a_whole_packet_is_one(kind, sequence, time_ms, body, cut):
    packet = Packet(kind, sequence, time_ms, body)
    datagram = protocol.pack(packet)
    assert datagram[:4] == bytes.fromhex("56354232")
    assert protocol.parse(datagram) == packet
    assert cut >= len(datagram) or protocol.parse(datagram[:cut]) is None
    assert protocol.parse(datagram + b"x") is None
    assert protocol.parse(bytes([datagram[0] ^ 1]) + datagram[1:]) is None


@given(st.binary(max_size=200))
def test_only_the_right_length_is_a_body(body):
    assert (protocol.parse_telemetry(body) is None) == (len(body) != 164)
    assert (protocol.parse_currents(body) is None) == (len(body) != 32)
    assert (protocol.parse_motor_error(body) is None) == (len(body) != 2 or not 1 <= body[0] <= 16)


@given(
    RADIANS,
    st.lists(st.tuples(RADIANS, st.sampled_from([0.0, 0.003, 0.006, 0.06, 10.0])), max_size=10),
    st.floats(0.0, 0.24),
    st.floats(0.0, 1.5),
)
def test_no_motion_asks_for_more_than_the_limit(goal, motion, limit_A, stiffness):
    control = PositionControl(DEVICE.config(current_limit_A=limit_A, stiffness=stiffness), np.zeros(16))
    control.goal_rad = goal
    for position, dt_s in motion:
        current_A = control.current_A(position, dt_s)
        assert np.isfinite(current_A).all()
        assert np.abs(current_A).max() <= limit_A


def is_at(reading, target_rad):
    return reading is not None and np.abs(reading.value.position_rad - target_rad).max() < 0.003


def reach(driver, target_rad):
    def there():
        driver.command(target_rad)
        return is_at(driver.read(0.05), target_rad)

    until(there)


def test_it_is_moved_within_its_limits_and_its_current(emulate, opened):
    emulator = emulate("allegro")
    driver = opened(DEVICE, emulator.address, current_limit_A=0.1)
    sent = driver.command(np.full(16, 9.0))
    assert sent == pytest.approx(protocol.LIMITS_RAD[:, 1])
    reach(driver, sent)
    assert 0.09 < emulator.tell("state")["most_A"] <= 0.1
    with pytest.raises(DataError, match="finite joint positions"):
        driver.command(np.full(16, np.nan))


def test_opening_moves_nothing_and_where_commands_stop_it_stays(emulate, opened):
    emulator = emulate("allegro")
    emulator.tell("set", "position", 5, 1.0)
    driver = opened(DEVICE, emulator.address)
    for _ in range(50):
        assert driver.read(0.05).value.position_rad[5] == pytest.approx(1.0, abs=0.003)
    driver.command(protocol.LIMITS_RAD[:, 1])  # far away: it is on its way when commands stop
    until(lambda: driver.read(0.05) and "no fresh" in driver.health.trouble)
    held_rad = driver.read(0.05).value.position_rad
    for _ in range(50):
        reading = driver.read(0.05)
    assert np.abs(reading.value.position_rad - held_rad).max() < 0.1, "it brakes, and does not go on"
    assert (reading.value.position_rad[[2, 3]] < protocol.LIMITS_RAD[[2, 3], 1] - 0.2).all()


def test_touch_is_passed_on_and_is_no_force(emulate, opened):
    emulator = emulate("allegro")
    emulator.tell("set", "touch", protocol.TAXELS.index("index_tip"), 12.3)
    driver = opened(DEVICE, emulator.address)
    state = until(lambda: driver.read(0.05)).value
    assert state.taxels.value.value[:, 2] == pytest.approx([0] * 7 + [12.3] + [0] * 8)
    assert np.isnan(state.force_N).all(), "nobody says which unit it has"
    assert np.isnan(state.velocity_rad_s).all()


def test_a_motor_that_failed_gets_no_current_and_the_hand_takes_no_command(emulate, opened):
    emulator = emulate("allegro")
    driver = opened(DEVICE, emulator.address)
    reach(driver, np.full(16, 0.2))
    emulator.tell("fault", "saturation", 1.0)
    until(lambda: driver.read(0.05) and driver.health.counts["alert"])
    emulator.tell("clear")
    assert driver.command(np.full(16, 0.25)) is None
    assert "joint 7" in driver.health.trouble
    emulator.tell("set", "position", 6, 0.8)
    emulator.tell("set", "position", 5, 0.8)
    until(lambda: driver.read(0.05) and emulator.tell("state")["current_A"][5])
    assert emulator.tell("state")["current_A"][6] == 0.0


def test_it_goes_limp_when_it_is_left_and_when_its_driver_dies(emulate, opened):
    emulator = emulate("allegro")
    driver = opened(DEVICE, emulator.address)
    for leave in (driver.close, lambda: None):
        emulator.tell("set", "position", 5, 0.5)
        driver.open()
        emulator.tell("set", "position", 5, 0.8)  # somebody bends a finger: it pulls back
        until(lambda: driver.read(0.05) and emulator.tell("state")["current_A"][5])
        leave()
        until(lambda: not any(emulator.tell("state")["current_A"]))
    assert not emulator.tell("state")["streaming"]


def test_a_joint_beyond_its_stops_is_not_passed_on(emulate, opened):
    emulator = emulate("allegro")
    driver = opened(DEVICE, emulator.address)
    until(lambda: driver.read(0.05))
    emulator.tell("set", "position", 0, -2.0)
    until(lambda: driver.health.counts["out_of_range"] > 3 or (driver.read(0.05) and False))
    assert driver.read(0.0) is None


def test_the_config_has_no_more_current_than_the_maker_allows():
    assert from_mapping(DEVICE.config, {}, "the test").current_limit_A == 0.24
