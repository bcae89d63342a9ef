"""Bytes to radians: LEAP and Inspire registers, and the packets of the emulated servo bus against the maker's own code."""

import struct

import numpy as np
import pytest
from dynamixel_sdk import Protocol2PacketHandler
from hypothesis import given
from hypothesis import strategies as st

from tactus_hardware import crc, xseries
from tactus_hardware.dynamixel import ALERT, LAYOUT
from tactus_hardware.emulation.dynamixel import DynamixelBus, DynamixelServo, pack
from tactus_hardware.emulation.faults import Faults
from tactus_hardware.inspire import protocol as inspire
from tactus_hardware.leap import protocol as leap
from tactus_hardware.servos import Answers


@given(st.binary(min_size=1, max_size=60))
def test_servo_checksum_agrees_with_the_makers(data):
    assert crc.dynamixel(data) == Protocol2PacketHandler().updateCRC(0, list(data), len(data))


def test_leap_is_open_at_half_a_turn():
    # 2048 counts are π at the servo; 1024 more are a quarter turn. -10 of 0.229 rpm; 200 mA.
    blocks = [struct.pack("<hii", 200, -10, 2048 + 1024)] + [struct.pack("<hii", 0, 0, 2048)] * 15
    state = xseries.parse_state(blocks)
    assert state.position_rad == pytest.approx([np.pi / 2] + [0.0] * 15)
    assert state.velocity_rad_s[0] == pytest.approx(-2.29 * 2 * np.pi / 60)
    assert state.current_A[0] == pytest.approx(0.2)
    assert np.isnan(state.force_N).all()


@given(st.floats(-3.0, 3.0))
def test_leap_goals_mean_what_states_mean(position_rad):
    (counts,) = struct.unpack("<i", leap.pack_goal(position_rad))
    state = xseries.parse_state([struct.pack("<hii", 0, 0, counts)])
    assert state.position_rad[0] == pytest.approx(position_rad, abs=np.pi / 4096 + 1e-9)


def test_inspire_closes_towards_positive():
    assert inspire.position_rad([1000] * 6) == pytest.approx([0.0, 0.0, 0.0, 0.0, 0.0, -0.1])
    assert inspire.position_rad([0] * 6) == pytest.approx([1.7, 1.7, 1.7, 1.7, 0.5, 1.3])
    assert inspire.force_N([1000, -50, 0, 0, 0, 0])[:2] == pytest.approx([9.80665, -0.4903325])
    assert inspire.grams(9.80665) == 1000


@given(st.lists(st.floats(-10.0, 10.0), min_size=6, max_size=6))
def test_inspire_is_never_sent_what_means_as_before(position_rad):
    numbers = inspire.numbers(np.array(position_rad))
    assert all(0 <= number <= 1000 for number in numbers)
    inside = np.clip(position_rad, *inspire.LIMITS_RAD.T)
    assert inspire.position_rad(numbers) == pytest.approx(inside, abs=1.7 / 2000 + 1e-9)


def test_inspire_errors_are_named():
    assert inspire.faults([0, 0, 0]) == ""
    assert inspire.faults([0x0200, 0, 0x0001]) == "ring: too hot; thumb_bend: blocked"
    assert inspire.faults([0, -0x8000, 0]) == "index: error 0x80"


IDS = st.integers(0, 15)


def bus():
    return DynamixelBus({i: DynamixelServo(1240, 2048) for i in range(16)}, Faults())


@given(st.binary(max_size=40), IDS)
def test_the_emulated_bus_finds_a_request_after_noise(noise, servo):
    request = pack(servo, 0x02, struct.pack("<HH", 132, 4))
    # A header in the noise may claim bytes of the request for itself, as on a real bus; the next request is heard.
    answers = list(bus().take(noise + request + 1100 * b"\0" + request, 0.0))
    assert answers
    assert all(answer[4] == servo for answer in answers)


@given(st.binary(max_size=200))
def test_the_emulated_bus_survives_anything(data):
    list(bus().take(data, 0.0))


def test_emulated_servos_keep_their_makers_rules():
    servos = bus().servos
    servo = servos[0]
    assert servo.write(11, b"\x05") == 0
    servo.write(64, b"\x01")
    assert servo.write(11, b"\x03") == 7, "the mode is written with torque off only"
    servo.write(98, b"\x05")
    servo.watch(0.09)
    assert servo.write(116, struct.pack("<i", 3000)) == 0
    servo.watch(0.11)
    assert servo.table[98] == 0xFF
    assert servo.write(116, struct.pack("<i", 3000)) == 4, "after its watchdog tripped a servo takes no goal"
    servo.write(98, b"\x00")
    assert servo.write(116, struct.pack("<i", 3000)) == 0


def packet(servo, data, error=0):
    return list(pack(servo, 0x55, bytes([error]) + data))


def test_answers_are_taken_for_what_was_asked_only():
    answers = Answers([3, 4], LAYOUT)
    answers.take(packet(3, b"1234567890"), True, 11, timed_out=False)
    answers.take(packet(9, b"12345678901"), True, 11, timed_out=False)
    assert (answers.old, answers.missing, answers.fault) == (2, [3, 4], "")
    answers.take(packet(3, b"12345678901", ALERT), True, 11, timed_out=False)
    answers.take(packet(3, b"12345678901"), True, 11, timed_out=False)
    assert (answers.old, answers.missing, answers.alerts) == (3, [4], [3])
    answers.take(packet(4, b"", error=5), True, 11, timed_out=False)
    assert answers.old == 4
    answers.take(packet(4, b"12345678901", error=4), True, 11, timed_out=False)
    assert (answers.fault, answers.missing) == ("refused", [4])
