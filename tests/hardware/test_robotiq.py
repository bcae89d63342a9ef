"""Robotiq grippers over both wires: what is their own, and the emulator against clients that others wrote."""

import math

import pytest
from emulated import until
from hypothesis import given
from hypothesis import strategies as st
from pyrobotiqgripper import RobotiqGripper
from pyrobotiqur import RobotiqGripper as UrcapGripper

from tactus_core.config import from_mapping
from tactus_core.errors import ConfigError, DeviceError
from tactus_hardware.robotiq import DEVICE, protocol
from tactus_hardware.robotiq.protocol import MODELS

BOTH = pytest.mark.parametrize("wire", ["rtu", "urcap"])
CLOSED_RAD = 0.7929
# Of the URCap's socket; those of the serial line are with the other devices'.
URCAP_FAULTS = {"drop": "timeout", "delay": "timeout", "checksum": "timeout", "half": "damaged", "duplicate": "damaged", "noise": "damaged"}


def command_until(driver, goal_rad, happened):
    """Command until it happens; return the reading."""

    def commanded():
        driver.command([goal_rad])
        reading = driver.read(0.05)
        return reading is not None and happened(reading) and reading

    return until(commanded)


def is_at(reading, position_rad):
    return abs(reading.value.position_rad[0] - position_rad) < 0.002


def reach(driver, goal_rad):
    return command_until(driver, goal_rad, lambda reading: is_at(reading, goal_rad))


@given(st.sampled_from(list(MODELS)), st.integers(0, 255))
def test_counts_and_positions_mean_each_other(name, count):
    model = MODELS[name]
    inside = min(max(count, model.counts[0]), model.counts[1])
    assert model.count(model.joint(count)) == inside
    low, high = model.limits()[0]
    assert low <= model.joint(count) <= high


def test_the_joint_means_what_its_urdf_means():
    assert (MODELS["2f85"].joint(3), MODELS["2f85"].joint(230)) == (0.0, 0.7929), "rad, closing"
    assert (MODELS["hande"].joint(0), MODELS["hande"].joint(255)) == (0.025, 0.0), "m, opening"


@given(st.lists(st.integers(0, 0xFFFF), min_size=3, max_size=6))
def test_registers_are_taken_apart_as_the_manual_says(registers):
    status = protocol.parse_status(registers)
    flags = registers[0] >> 8
    assert (status.activated, status.following) == (bool(flags & 1), bool(flags & 8))
    assert (status.stage, status.contact) == (flags >> 4 & 3, flags >> 6)
    assert (status.fault, status.requested) == divmod(registers[1], 256)
    assert (status.position, status.current_A) == (registers[2] >> 8, pytest.approx((registers[2] & 255) * 0.01))


@given(st.lists(st.integers(0, 255), min_size=7, max_size=7), st.sampled_from(["", "\n", "\r\n"]), st.data())
def test_only_whole_answers_of_the_urcap_count(values, end, data):
    """An end of line may be missing: the last variable has one digit, so that a number that was cut short shows by what follows it."""
    values = [*values[:-1], values[-1] % 10]
    text = "".join(f"{name} {value}{end}" for name, value in zip(protocol.VARIABLES, values, strict=True)).encode()
    assert list((protocol.parse_answer(text, protocol.VARIABLES) or {}).values()) == values
    cut = data.draw(st.integers(0, len(text.rstrip()) - 1))
    assert protocol.parse_answer(text[:cut], protocol.VARIABLES) is None
    assert protocol.parse_answer(text[cut + 1 :], protocol.VARIABLES) is None


@BOTH
def test_it_is_read_and_moved(wire, emulate, opened):
    emulator = emulate("robotiq")
    driver = opened(DEVICE, emulator.address, wire=wire, force_N=127.5, speed_m_s=0.15)
    reading = reach(driver, 0.4)
    assert reading.value.velocity_rad_s.shape == (1,)
    assert math.isnan(reading.value.force_N[0]), "what is not measured is not zero"
    assert math.isnan(reading.value.current_A[0]) == (wire == "urcap")
    state = emulator.tell("state")
    assert (state["SPE"], state["FOR"]) == (255, 128)


def test_faults_of_the_socket_are_counted_and_nothing_wrong_is_passed_on(emulate, opened):
    emulator = emulate("robotiq")
    driver = opened(DEVICE, emulator.address, wire="urcap")
    reach(driver, 0.3)
    for fault, count in URCAP_FAULTS.items():
        begun = driver.health.counts[count]
        emulator.tell("fault", fault, 0.03)
        while driver.health.counts[count] - begun < 3:
            reading = driver.read(0.05)
            assert reading is None or is_at(reading, 0.3)
        emulator.tell("clear")
        until(lambda: driver.read(0.05))


@BOTH
def test_what_it_grips_it_goes_on_gripping(wire, emulate, opened):
    emulator = emulate("robotiq")
    emulator.tell("set", "object", 120)
    driver = opened(DEVICE, emulator.address, wire=wire)
    command_until(driver, CLOSED_RAD, lambda _: driver.health.counts["gripped"])
    until(lambda: driver.read(0.05) and "no fresh command" in driver.health.trouble)
    assert emulator.tell("state")["PRE"] == 230, "to hold the measured posture would let go"
    driver.close()
    again = opened(DEVICE, emulator.address, wire=wire)
    until(lambda: again.read(0.05))
    assert emulator.tell("state")["PRE"] == 230, "nor does opening let go"
    emulator.tell("set", "object", 256)
    until(lambda: again.read(0.05) and again.health.counts["dropped"])
    reach(again, 0.2)
    assert (again.health.counts["gripped"], again.health.counts["dropped"]) == (1, 1), "what it was told to release was not dropped"


@BOTH
def test_only_who_may_activates_and_only_on_opening(wire, emulate, opened):
    emulator = emulate("robotiq")
    emulator.tell("set", "power", 0)
    with pytest.raises(DeviceError, match="ALL THE WAY"):
        opened(DEVICE, emulator.address, wire=wire)
    assert emulator.tell("state")["activations"] == 0
    driver = opened(DEVICE, emulator.address, wire=wire, activate=True)
    assert driver.command([0.1]) is None, "no command while it finds its ends"
    assert driver.read(0.05) is None
    assert "activation" in driver.health.trouble
    reach(driver, 0.3)
    emulator.tell("set", "power", 0)
    until(lambda: driver.read(0.05) is None and not driver.health.connected and "ALL THE WAY" in driver.health.trouble)
    assert driver.command([0.1]) is None
    assert emulator.tell("state")["activations"] == 0, "nobody was asked to clear the fingers this time"


def test_no_reading_comes_from_a_gripper_that_does_not_know_where_it_is(emulate, opened):
    emulator = emulate("robotiq")
    emulator.tell("set", "power", 0)
    driver = opened(DEVICE, emulator.address, activate=True)
    while (reading := driver.read(0.05)) is None:
        pass
    assert emulator.tell("state")["STA"] == protocol.ACTIVE
    assert is_at(reading, 0.0)
    assert driver.health.counts["connections"] == 1, "it is there all the while"


def test_an_activation_that_fails_is_not_tried_again(emulate, opened):
    emulator = emulate("robotiq")
    emulator.tell("set", "power", 0)
    emulator.tell("set", "jam", 1)
    driver = opened(DEVICE, emulator.address, activate=True)
    until(lambda: driver.read(0.05) is None and "between its fingers" in driver.health.trouble)
    for _ in range(20):
        assert driver.read(0.05) is None
    assert emulator.tell("state")["activations"] == 1
    emulator.tell("set", "jam", 0)
    driver.open()
    reach(driver, 0.3)


@BOTH
def test_who_was_stopped_by_another_waits_for_a_person(wire, emulate, opened):
    emulator = emulate("robotiq")
    driver = opened(DEVICE, emulator.address, wire=wire)
    until(lambda: driver.read(0.05))
    emulator.tell("set", "stop", 1)
    until(lambda: driver.read(0.05) is None and not driver.health.connected)
    for _ in range(10):
        assert driver.read(0.05) is None
    assert "another program" in driver.health.trouble
    assert emulator.tell("state")["GTO"] == 0
    driver.open()
    reach(driver, 0.2)


def test_what_cannot_be_is_refused_before_anything_is_opened():
    for wrong, why in (({}, "'port'"), ({"wire": "urcap"}, "'host'"), ({"port": "x", "model": "2f140", "force_N": 200.0}, "10 to 125")):
        with pytest.raises(ConfigError, match=why):
            DEVICE.make(from_mapping(DEVICE.config, wrong, "the test"))


def test_robotiqs_own_library_moves_the_emulator(emulate):
    emulator = emulate("robotiq")
    emulator.tell("set", "power", 0)
    gripper = RobotiqGripper(com_port=emulator.address["port"])
    assert not gripper.isActivated()
    gripper.activate()
    assert gripper.isActivated()
    gripper.move(100, speed=255, force=0)
    assert abs(gripper.position() - 100) <= 1
    emulator.tell("set", "object", 150)
    gripper.move(200, speed=255, force=0)
    assert gripper.position() == 150
    assert gripper.status()["gOBJ"] == 2
    gripper.disconnect()


def test_a_client_of_the_urcap_moves_the_emulator(emulate):
    emulator = emulate("robotiq")
    emulator.tell("set", "power", 0)
    with UrcapGripper(emulator.address["host"], emulator.address["tcp_port"]) as gripper:
        gripper.activate(poll_interval=0.01)
        assert gripper.move(100, speed=255) == (100, 3)
        emulator.tell("set", "object", 150)
        assert gripper.move(200, speed=255) == (150, 2)
        assert gripper.get_fault() == 0
