"""Universal Robots: RTDE's bytes, what each of the processes does when another falls silent, and the emulator against ur-rtde itself."""

import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rtde_control
import rtde_receive
from emulated import until
from hypothesis import given
from hypothesis import strategies as st

from tactus_core.errors import DeviceError
from tactus_core.geometry import rotation_matrix
from tactus_hardware.ur import DEVICE, protocol
from tactus_hardware.ur.driver import Ages
from tactus_hardware.ur.protocol import Force, Kind, Packets, Recipe
from tactus_hardware.ur.servo import walk

TARGET = np.linspace(0.02, 0.12, 6)
POSE = (0.4, -0.2, 0.3, 0.3, 1.2, -0.5)
OFFSET = (0.01, -0.02, 0.15, 0.1, -0.2, 0.4)
WRENCH = np.array([3.0, -2.0, -25.0, 0.4, -0.3, 0.2])
VECTORS = st.lists(st.floats(-2.0, 2.0), min_size=6, max_size=6).map(np.array)


@given(st.lists(st.tuples(st.sampled_from(list(Kind)), st.binary(max_size=300)), max_size=5), st.data())
def test_packets_come_out_as_they_went_in_however_the_stream_is_cut(packets, data):
    stream = b"".join(protocol.pack(kind, payload) for kind, payload in packets)
    cut = data.draw(st.integers(0, len(stream)))
    parser = Packets()
    assert [each for piece in (stream[:cut], stream[cut:]) for each in parser.take(piece)] == packets


@given(VECTORS, st.floats(0.0, 1e6), st.integers(-(2**31), 2**31 - 1))
def test_recipes_say_what_was_packed(vector, number, whole):
    recipe = Recipe(3, ["actual_q", "timestamp", "robot_mode"], ["VECTOR6D", "DOUBLE", "INT32"])
    found = recipe.parse(recipe.pack([vector, number, whole]))
    assert (found["actual_q"] == vector).all()
    assert (found["timestamp"], found["robot_mode"]) == (number, whole)


@pytest.mark.parametrize("answer", [b"\x01DOUBLE,NOT_FOUND", b"\x01DOUBLE", b"\x00IN_USE,DOUBLE", b"", b"\x01\xff\xfe,DOUBLE"])
def test_a_recipe_that_the_robot_refuses_is_refused(answer):
    with pytest.raises(DeviceError):
        protocol.parse_recipe(answer, ["timestamp", "actual_q"])


@given(VECTORS, VECTORS, VECTORS, st.sampled_from(["flange", "tcp"]), st.sampled_from([1.0, -1.0]))
def test_the_wrench_is_the_same_push_wherever_it_is_told(wrench, pose, offset, at, sign):
    """Force and torque, worked out by hand the other way round: from the tool to what the robot tells."""
    R_base_tcp, R_flange_tcp = rotation_matrix(pose[3:]), rotation_matrix(offset[3:])
    lever_base = R_base_tcp @ R_flange_tcp.T @ offset[:3] if at == "flange" else np.zeros(3)
    force_N = R_base_tcp @ wrench[:3]
    told = np.concatenate([force_N, R_base_tcp @ wrench[3:] + np.cross(lever_base, force_N)])
    assert Force(at, sign).wrench_tcp(sign * told, pose, offset) == pytest.approx(wrench, abs=1e-9)


@given(VECTORS, VECTORS, st.floats(1e-4, 0.1))
def test_a_reference_walks_straight_and_no_faster_than_it_may(reference, target, most):
    after = walk(reference, target, most)
    assert np.abs(after - reference).max() <= most * (1 + 1e-9)
    for _ in range(round(4.1 / most) if most > 0.01 else 0):
        reference = walk(reference, target, most)
    if most > 0.01:
        assert (reference == target).all(), "it arrives, exactly"
    else:
        assert np.abs(target - after).max() <= np.abs(target - reference).max()


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=50))
def test_age_is_what_came_on_top_of_the_quickest_way(delays_s):
    ages, sent_s = Ages(), 100.0
    for number, delay_s in enumerate(delays_s):
        age_s = ages.age_s(sent_s, sent_s - 70.0 + 0.003 + delay_s)
        assert age_s == pytest.approx(delay_s - min(delays_s[: number + 1]), abs=1e-6)
        sent_s += 0.002


def test_ages_follow_clocks_that_drift_apart():
    ages = Ages()
    worst_s = max(ages.age_s(0.002 * i, 0.002 * i * (1 + 1e-4)) for i in range(100_000))  # 100 ppm, for 200 s: 20 ms in all
    assert worst_s < 2e-3


def test_ur_rtde_and_we_read_the_same(emulate, opened):
    emulator = emulate("ur")
    for name, values in (("pose", POSE), ("offset", OFFSET), ("wrench", WRENCH)):
        emulator.tell("set", name, *values)
    driver = opened(DEVICE, emulator.address, speed_limit_rad_s=3.0)
    theirs = rtde_receive.RTDEReceiveInterface(emulator.address["host"])
    reading = until(lambda: arrived(driver, TARGET))
    until(lambda: np.abs(theirs.getActualQ() - TARGET).max() < 1e-3)
    assert theirs.getActualTCPPose() == pytest.approx(POSE)
    force_base_N = rotation_matrix(np.array(POSE[3:])) @ reading.value.wrench_tcp[:3]
    assert theirs.getActualTCPForce()[:3] == pytest.approx(force_base_N, abs=0.3)
    assert (theirs.getRobotMode(), theirs.getSafetyMode(), theirs.getRuntimeState()) == (7, 1, 2)
    theirs.disconnect()


def test_ur_rtde_moves_the_emulator_and_its_watchdog_ends_the_program(emulate):
    emulator = emulate("ur")
    control = rtde_control.RTDEControlInterface(emulator.address["host"], 500.0)
    assert control.setWatchdog(10.0)
    until(lambda: control.servoJ(TARGET.tolist(), 0.0, 0.0, 0.002, 0.1, 300.0) and reached(emulator, TARGET))
    assert control.servoStop(10.0)
    assert not emulator.tell("state")["servoing"]
    assert control.isProgramRunning()
    until(lambda: not emulator.tell("state")["program"])  # nobody kicks the watchdog any more
    control.disconnect()


@pytest.mark.parametrize(("says", "sign"), [("on_tool", 1.0), ("by_tool", -1.0)])
def test_pressing_the_tool_pushes_it_back(says, sign, emulate, opened):
    emulator = emulate("ur")
    for name, values in (("pose", POSE), ("offset", OFFSET), ("wrench", WRENCH)):
        emulator.tell("set", name, *values)
    driver = opened(DEVICE, emulator.address, force_says=says, control=False)
    reading = until(lambda: driver.read(0.05))
    assert reading.value.wrench_tcp == pytest.approx(sign * WRENCH, abs=0.3)


def test_read_only_starts_no_program_and_sends_nothing(emulate, opened):
    emulator = emulate("ur")
    driver = opened(DEVICE, emulator.address, control=False)
    until(lambda: driver.read(0.05))
    assert driver.command(TARGET) is None
    assert driver.health.trouble == ""
    assert not emulator.tell("state")["program"]


def test_a_far_command_is_walked_to(emulate, opened):
    emulator = emulate("ur")
    driver = opened(DEVICE, emulator.address, speed_limit_rad_s=0.5)
    until(lambda: driver.read(0.05) and driver.command(np.full(6, 3.0)) is not None and emulator.tell("state")["position_rad"][0] > 0.1)
    # The farthest that a target ever was from the joints: a few steps, where this machine was late.
    assert emulator.tell("state")["most_rad"] < 0.1


def test_closing_ends_motion_and_program(emulate, opened):
    emulator = emulate("ur")
    driver = opened(DEVICE, emulator.address)
    until(lambda: arrived(driver, TARGET))
    driver.close()
    state = until(lambda: (found := emulator.tell("state")) and not found["program"] and found)
    assert state["position_rad"] == pytest.approx(TARGET, abs=1e-3)


def test_a_driver_that_nobody_reads_stops_the_robot_and_takes_it_up_again(emulate, opened):
    emulator = emulate("ur")
    driver = opened(DEVICE, emulator.address)
    until(lambda: driver.read(0.05) and driver.command(np.full(6, 3.0)) is not None and emulator.tell("state")["servoing"])
    until(lambda: not emulator.tell("state")["servoing"])
    assert emulator.tell("state")["program"], "it stands by"
    assert driver.command(TARGET) is None, "it went on while nobody read: where it stands is not known"
    until(lambda: arrived(driver, TARGET))
    assert emulator.tell("state")["most_rad"] < 0.1, "it starts from where it stands"


def test_a_driver_that_dies_leaves_a_robot_that_stands(emulate):
    emulator = emulate("ur")
    script = (
        "import sys, numpy as np; from tactus_hardware.ur import DEVICE; arm = DEVICE.make(DEVICE.config(host=sys.argv[1])); arm.open()\n"
        "while True: arm.read(0.05); arm.command(np.full(6, 3.0))"
    )
    process = subprocess.Popen([sys.executable, "-c", script, emulator.address["host"]])
    until(lambda: emulator.tell("state")["servoing"])
    process.kill()
    process.wait()
    until(lambda: not emulator.tell("state")["program"])
    assert emulator.tell("state")["position_rad"][0] < 2.9


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "hangs"])
def test_when_ur_rtdes_process_fails_the_robot_stops_and_reading_goes_on(blow, emulate, opened):
    emulator = emulate("ur")
    driver = opened(DEVICE, emulator.address)
    until(lambda: driver.read(0.05) and driver.command(np.full(6, 3.0)) is not None and emulator.tell("state")["servoing"])
    os.kill(ur_rtdes_process(), blow)
    longest_s = 0.0
    while emulator.tell("state")["program"]:
        called_s = time.monotonic()
        driver.read(0.05)
        driver.command(np.full(6, 3.0))
        longest_s = max(longest_s, time.monotonic() - called_s)
    assert longest_s < 0.2
    until(lambda: driver.read(0.05) and driver.command(np.full(6, 3.0)) is None and "ur-rtde" in driver.health.trouble)
    until(lambda: arrived(driver, TARGET))


def test_a_protective_stop_is_told_and_power_mends_it(emulate, opened):
    emulator = emulate("ur")
    driver = opened(DEVICE, emulator.address)
    until(lambda: arrived(driver, TARGET))
    emulator.tell("fault", "saturation", 1.0)
    until(lambda: driver.read(0.05) and "protective stop" in driver.health.trouble)
    assert driver.command(-TARGET) is None
    emulator.tell("clear")
    emulator.tell("disconnect", 0.1)
    until(lambda: arrived(driver, -TARGET))


def test_a_second_program_at_the_robot_is_named_and_moves_nothing(emulate, opened, monkeypatch):
    emulator = emulate("ur")
    opened(DEVICE, emulator.address)
    monkeypatch.setattr("tactus_hardware.ur.driver._OPEN_S", 1.0)
    second = opened(DEVICE, emulator.address)
    # That it is still being started, or what ur-rtde said when it gave up: whichever it is at the moment.
    until(lambda: second.read(0.05) and any(word in second.health.trouble for word in ("control program", "ur-rtde")))
    assert second.command(TARGET) is None


def ur_rtdes_process():
    """Return the id of the one that our own process has started last."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(child) for child in children if b"ur.servo" in Path(f"/proc/{child}/cmdline").read_bytes()][-1]


def arrived(driver, target_rad):
    """Command; return a reading that says that the arm is there."""
    driver.command(target_rad)
    reading = driver.read(0.05)
    return reading if reading is not None and np.abs(reading.value.position_rad - target_rad).max() < 1e-3 else None


def reached(emulator, target_rad):
    return np.abs(np.array(emulator.tell("state")["position_rad"]) - target_rad).max() < 1e-3


def test_the_controllers_words_are_packed_as_the_guide_says():
    # The guide's own example of a request for the protocol's version: size 5, type 86, number 2.
    assert protocol.pack(Kind.VERSION, struct.pack(">H", 2)) == b"\x00\x05\x56\x00\x02"
