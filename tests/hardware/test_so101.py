"""SO-101 over its pty: what is this arm's own, and the emulator against Feetech's own SDK."""

import struct

import numpy as np
import pytest
import scservo_sdk as sdk
from emulated import until
from hypothesis import given
from hypothesis import strategies as st

from tactus_core.errors import DeviceError
from tactus_hardware.feetech import Packets, pack, signed, unsigned
from tactus_hardware.so101 import DEVICE, protocol
from tactus_hardware.so101.protocol import SERVOS, Scale

MIDDLE = [2048] * 6
NEAR_RAD = 0.002
IDS = list(SERVOS)


def block(position=2048, velocity=0, load=0, current=0):
    return struct.pack("<HHH7xH", unsigned(position), unsigned(velocity), load, current)


def test_numbers_mean_joints():
    # A quarter turn further; 100 counts/s backwards; 20 counts of 6.5 mA, pulling backwards.
    state = Scale(MIDDLE, [0] * 6).parse_state([block(3072, -100, 1 << 10 | 50, 20)] + [block()] * 5)
    assert state.position_rad == pytest.approx([np.pi / 2, 0, 0, 0, 0, 0])
    assert state.velocity_rad_s[0] == pytest.approx(-100 * 2 * np.pi / 4096)
    assert state.current_A[0] == pytest.approx(-0.13)
    assert np.isnan(state.wrench_tcp).all(), "what is not measured is not zero"


@given(st.lists(st.floats(-4.0, 4.0), min_size=6, max_size=6), st.lists(st.integers(0, 1), min_size=6, max_size=6))
def test_goals_mean_what_states_mean_and_stay_in_the_turn(position_rad, reverse):
    scale = Scale(MIDDLE, reverse)
    goals = scale.pack_goals(np.array(position_rad), 1.0)
    counts = [struct.unpack("<HHH", goals[i]) for i in IDS]
    assert all(0 <= count < 4096 and time == 0 and speed > 0 for count, time, speed in counts)
    state = scale.parse_state([block(count) for count, _, _ in counts])
    expected = np.clip(position_rad, -np.pi, np.pi)
    assert state.position_rad == pytest.approx(expected, abs=1.01 * protocol.RAD_PER_COUNT)


@pytest.mark.parametrize("position", [-1, 4096, 30000])
def test_a_joint_beyond_its_turn_is_no_reading(position):
    assert Scale(MIDDLE, [0] * 6).parse_state([block(position)] + [block()] * 5) is None


@given(st.integers(-32767, 32767))
def test_signs_are_bits(number):
    assert signed(unsigned(number)) == number
    assert unsigned(number) == sdk.SCS_TOSCS(number, 15)


@given(st.binary(max_size=30), st.binary(max_size=20))
def test_a_packet_is_found_after_noise(noise, data):
    packet = pack(4, 0, data)
    # A header in the noise may claim bytes of the packet for itself; the next one is found.
    assert packet in list(Packets().take(noise + packet + 260 * b"\0" + packet))


def test_feetechs_sdk_moves_the_emulator(emulate):
    emulator = emulate("so101")
    port, handler = sdk.PortHandler(emulator.address["port"]), sdk.PacketHandler(0)
    assert port.setBaudRate(1_000_000)
    # It waits for a few milliseconds only, and a busy machine may take longer to answer: so ask again.
    until(lambda: handler.ping(port, 3) == (777, sdk.COMM_SUCCESS, 0))
    until(lambda: handler.write1ByteTxRx(port, 3, protocol.TORQUE, 1) == (sdk.COMM_SUCCESS, 0))
    until(lambda: handler.write2ByteTxRx(port, 3, protocol.GOAL, 2500) == (sdk.COMM_SUCCESS, 0))
    until(lambda: handler.read2ByteTxRx(port, 3, protocol.STATE) == (2500, sdk.COMM_SUCCESS, 0))
    reader = sdk.GroupSyncRead(port, handler, protocol.STATE, protocol.STATE_BYTES)
    assert all(reader.addParam(servo) for servo in IDS)
    until(lambda: reader.txRxPacket() == sdk.COMM_SUCCESS)
    assert [reader.getData(servo, protocol.STATE, 2) for servo in IDS] == [2048, 2048, 2500, 2048, 2048, 2048]
    writer = sdk.GroupSyncWrite(port, handler, protocol.GOAL, 2)
    assert all(writer.addParam(servo, [0x00, 0x09]) for servo in IDS)
    assert writer.txPacket() == sdk.COMM_SUCCESS
    until(lambda: handler.read2ByteTxRx(port, 3, protocol.STATE) == (0x0900, sdk.COMM_SUCCESS, 0))
    port.closePort()


def test_a_leader_is_limp_and_takes_no_command(emulate, opened):
    emulator = emulate("so101")
    driver = opened(DEVICE, emulator.address, role="leader")
    emulator.tell("set", "position", 2, -0.7)  # somebody leads it
    until(lambda: (reading := driver.read(0.05)) and abs(reading.value.position_rad[2] + 0.7) < NEAR_RAD)
    assert driver.command(np.zeros(6)) is None
    assert emulator.tell("state")["torque"] == [0] * 6
    assert driver.health.trouble == ""


def test_a_limp_arm_is_switched_on_where_it_stands(emulate, opened):
    emulator = emulate("so101")
    emulator.tell("set", "position", 1, 0.6)
    driver = opened(DEVICE, emulator.address)
    for _ in range(20):
        assert driver.read(0.05).value.position_rad[1] == pytest.approx(0.6, abs=NEAR_RAD)


@pytest.mark.parametrize(("on_exit", "torque"), [("release", 0), ("keep", 1)])
def test_leaves_torque_as_configured(on_exit, torque, emulate, opened):
    emulator = emulate("so101")
    driver = opened(DEVICE, emulator.address, on_exit=on_exit)
    until(lambda: emulator.tell("state")["torque"] == [1] * 6)
    driver.close()
    assert emulator.tell("state")["torque"] == [torque] * 6


def test_an_arm_that_stands_beyond_its_turn_is_not_switched_on(emulate, opened):
    """Uncalibrated, a joint may stand where its servo's count wraps: what would be the goal is a whole turn away."""
    emulator = emulate("so101")
    emulator.tell("set", "position", 0, 3.3)
    with pytest.raises(DeviceError, match="calibrated"):
        opened(DEVICE, emulator.address)
    assert emulator.tell("state")["torque"] == [0] * 6


def test_the_servos_themselves_keep_to_the_speed_limit(emulate, opened):
    driver = opened(DEVICE, emulate("so101").address, speed_limit_rad_s=0.5)
    speeds = []
    while (state := until(lambda: driver.read(0.05)).value).position_rad[0] < 0.3:
        driver.command(np.full(6, 0.4))
        speeds.append(state.velocity_rad_s[0])
    assert max(speeds) == pytest.approx(0.5, abs=0.02)
