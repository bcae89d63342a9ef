"""Hands and arms over their wires: what keeps them safe, and the emulators against clients that others wrote."""

import dynamixel_sdk as sdk
import numpy as np
import pytest
from emulated import until
from pymodbus.client import ModbusTcpClient

from tactus_core.errors import DataError
from tactus_hardware import xseries
from tactus_hardware.inspire import DEVICE as INSPIRE
from tactus_hardware.inspire import protocol as inspire
from tactus_hardware.leap import DEVICE as LEAP
from tactus_hardware.leap import protocol as leap
from tactus_hardware.robotiq import DEVICE as ROBOTIQ
from tactus_hardware.robotiq.protocol import MODELS
from tactus_hardware.so101 import DEVICE as SO101
from tactus_hardware.so101 import protocol as so101
from tactus_hardware.ur import DEVICE as UR
from tactus_hardware.ur import protocol as ur

JOINTED = {
    "leap": (LEAP, leap.LIMITS_RAD),
    "inspire": (INSPIRE, inspire.LIMITS_RAD),
    "robotiq": (ROBOTIQ, MODELS["2f85"].limits()),
    "so101": (SO101, so101.LIMITS_RAD),
    "ur": (UR, ur.LIMITS_RAD),
}
FAST = {"ur": {"speed_limit_rad_s": 3.0}}
EACH = pytest.mark.parametrize("name", JOINTED)
NEAR_RAD = 0.002


def goals_rad(name, emulator):
    state = emulator.tell("state")
    return inspire.position_rad(state["goal"]) if name == "inspire" else np.array(state["goal_rad"])


def reach(driver, command_rad, target_rad=None):
    """Command until the joints are there."""

    def there():
        driver.command(command_rad)
        return is_at(driver.read(0.05), command_rad if target_rad is None else target_rad)

    until(there)


def is_at(reading, target_rad):
    return reading is not None and np.abs(reading.value.position_rad - target_rad).max() < NEAR_RAD


def standing_rad(name, driver, emulator):
    """Return the goals, if they stay for a few readings."""
    before = goals_rad(name, emulator)
    for _ in range(20):
        driver.read(0.05)
    return (before,) if (goals_rad(name, emulator) == before).all() else None


def taken(driver, command_rad):
    """Command until it is taken: an arm that was not read just now takes no command. Return what was sent."""
    sent = []
    until(lambda: driver.read(0.05) and sent.append(driver.command(command_rad)) is None and sent[-1] is not None)
    return sent[-1]


def lapse(driver):
    """Read, and command nothing, until the driver says that it holds."""
    until(lambda: driver.read(0.05) and "no fresh command" in driver.health.trouble)


@EACH
def test_when_commands_stop_the_measured_posture_is_held(name, emulate, opened):
    kind, limits_rad = JOINTED[name]
    emulator = emulate(name)
    driver = opened(kind, emulator.address, **FAST.get(name, {}))
    taken(driver, limits_rad[:, 1])  # far away: the hand is on its way when commands stop
    lapse(driver)
    (held_rad,) = until(lambda: standing_rad(name, driver, emulator))
    assert (held_rad < limits_rad[:, 1] - 0.01).all(), "it does not go on to where it was last sent"
    until(lambda: is_at(driver.read(0.05), held_rad))
    assert goals_rad(name, emulator) == pytest.approx(held_rad), "it is held once, and stays"


@EACH
def test_what_was_sent_is_clipped_and_returned(name, emulate, opened):
    kind, limits_rad = JOINTED[name]
    emulator = emulate(name)
    driver = opened(kind, emulator.address, **FAST.get(name, {}))
    beyond = np.where(np.arange(len(limits_rad)) % 2, 9.0, -9.0)
    sent = taken(driver, beyond)
    assert sent == pytest.approx(np.where(beyond > 0, limits_rad[:, 1], limits_rad[:, 0]))
    reach(driver, beyond, sent)
    assert np.abs(goals_rad(name, emulator) - sent).max() < NEAR_RAD
    assert beyond[0] == -9.0, "the command itself is left as it was"


@EACH
@pytest.mark.parametrize("wrong", [[np.nan], [np.inf], [], None], ids=str)
def test_a_malformed_command_is_refused_and_changes_nothing(name, wrong, emulate, opened):
    kind, limits_rad = JOINTED[name]
    emulator = emulate(name)
    driver = opened(kind, emulator.address, **FAST.get(name, {}))
    before = goals_rad(name, emulator)
    command = np.zeros(len(limits_rad) - 1) if wrong is None else np.array(wrong * len(limits_rad))
    with pytest.raises(DataError, match="finite joint positions"):
        driver.command(command)
    assert goals_rad(name, emulator) == pytest.approx(before)


@EACH
def test_a_hand_in_trouble_holds_and_takes_no_command(name, emulate, opened):
    kind, limits_rad = JOINTED[name]
    emulator = emulate(name)
    driver = opened(kind, emulator.address, **FAST.get(name, {}))
    reach(driver, np.full(len(limits_rad), 0.2))
    emulator.tell("fault", "saturation", 1.0)
    until(lambda: driver.read(0.05) and driver.health.counts["alert"])
    assert driver.command(np.full(len(limits_rad), 0.4)) is None
    assert any(word in driver.health.trouble for word in ("overload", "current", "protective stop"))
    assert goals_rad(name, emulator) == pytest.approx(np.full(len(limits_rad), 0.2), abs=NEAR_RAD)


@EACH
def test_opening_moves_nothing(name, emulate, opened):
    kind, limits_rad = JOINTED[name]
    emulator = emulate(name)
    driver = opened(kind, emulator.address, **FAST.get(name, {}))
    target = np.full(len(limits_rad), 0.3)
    reach(driver, target)
    driver.close()
    again = opened(kind, emulator.address)
    for _ in range(20):
        assert is_at(until(lambda: again.read(0.05)), target)
    assert goals_rad(name, emulator) == pytest.approx(target, abs=NEAR_RAD)


def test_leap_does_not_take_a_late_answer_for_one_of_now(emulate, opened):
    """Answers carry no number: what was measured before a joint moved comes while the driver waits for where it is now."""
    emulator = emulate("leap")
    driver = opened(LEAP, emulator.address)
    emulator.tell("fault", "saturation", 1.0)  # limp, so that the joint stays where it is put
    until(lambda: driver.read(0.05) and driver.health.counts["alert"])
    emulator.tell("clear")
    emulator.tell("fault", "delay", 1.0)
    assert driver.read(0.0) is None
    emulator.tell("clear")
    emulator.tell("set", "position", 5, 1.0)
    reading = until(lambda: driver.read(0.05))
    assert reading.value.position_rad[5] == pytest.approx(1.0, abs=NEAR_RAD)
    assert driver.health.counts["old"] > 0


def test_leap_is_switched_on_where_it_is(emulate, opened):
    emulator = emulate("leap")
    driver = opened(LEAP, emulator.address)
    reach(driver, np.full(16, 0.3))
    driver.close()
    until(lambda: not any(emulator.tell("state")["torque"]))
    emulator.tell("set", "position", 5, 0.6)  # somebody bends a limp finger; its goal is still where it was
    driver = opened(LEAP, emulator.address)
    for _ in range(20):
        assert until(lambda: driver.read(0.05)).value.position_rad[5] == pytest.approx(0.6, abs=NEAR_RAD)


@pytest.mark.parametrize(("on_exit", "torque"), [("release", 0), ("keep", 1)])
def test_leap_leaves_torque_as_configured(on_exit, torque, emulate, opened):
    emulator = emulate("leap")
    driver = opened(LEAP, emulator.address, on_exit=on_exit)
    until(lambda: emulator.tell("state")["torque"] == [1] * 16)
    driver.close()
    state = until(lambda: (found := emulator.tell("state"))["watchdog"] == [0] * 16 and found)
    assert state["torque"] == [torque] * 16
    assert state["mode"] == [leap.CURRENT_BASED_POSITION] * 16


def test_leap_stops_by_itself_when_its_driver_dies_and_is_set_up_again_when_it_returns(emulate, opened):
    emulator = emulate("leap")
    driver = opened(LEAP, emulator.address)
    reach(driver, np.full(16, 0.2))
    # Nobody calls the driver any more: the servos notice.
    until(lambda: emulator.tell("state")["watchdog"] == [0xFF] * 16)
    reach(driver, np.full(16, 0.4))
    assert driver.health.counts["connections"] == 2
    assert 0xFF not in emulator.tell("state")["watchdog"]


def test_the_makers_sdk_moves_the_emulated_leap(emulate):
    emulator = emulate("leap")
    port, handler = sdk.PortHandler(emulator.address["port"]), sdk.PacketHandler(2.0)
    assert port.setBaudRate(4_000_000)
    # It waits for a few milliseconds only, and a busy machine may take longer to answer: so ask again.
    until(lambda: handler.ping(port, 7) == (1240, sdk.COMM_SUCCESS, 0))
    until(lambda: handler.write1ByteTxRx(port, 7, leap.OPERATING_MODE, 5) == (sdk.COMM_SUCCESS, 0))
    until(lambda: handler.write1ByteTxRx(port, 7, xseries.TORQUE_ENABLE, 1) == (sdk.COMM_SUCCESS, 0))
    until(lambda: handler.write1ByteTxRx(port, 7, leap.OPERATING_MODE, 3) == (sdk.COMM_SUCCESS, 7))  # not while torque is on
    until(lambda: handler.write4ByteTxRx(port, 7, leap.GOAL_POSITION, 2500) == (sdk.COMM_SUCCESS, 0))
    until(lambda: handler.read4ByteTxRx(port, 7, xseries.STATE + 6) == (2500, sdk.COMM_SUCCESS, 0))
    reader = sdk.GroupSyncRead(port, handler, xseries.STATE, xseries.STATE_BYTES)
    assert all(reader.addParam(servo) for servo in leap.IDS)
    until(lambda: reader.txRxPacket() == sdk.COMM_SUCCESS)
    assert [reader.getData(servo, xseries.STATE + 6, 4) for servo in leap.IDS] == [2048] * 7 + [2500] + [2048] * 8
    port.closePort()


def test_pymodbus_moves_the_emulated_inspire(emulate):
    emulator = emulate("inspire")
    with ModbusTcpClient(emulator.address["host"], port=emulator.address["port"]) as client:
        assert not client.write_registers(inspire.ANGLE_SET, [100, 200, 300, 400, 500, 600], device_id=1).isError()
        until(lambda: client.read_holding_registers(inspire.ANGLE_ACT, count=6, device_id=1).registers == [100, 200, 300, 400, 500, 600])
        # Addresses count bytes: the third value of a block is four further on.
        assert client.read_holding_registers(inspire.ANGLE_ACT + 4, count=1, device_id=1).registers == [300]
        assert client.read_holding_registers(9000, count=1, device_id=1).exception_code == 2
        assert client.read_coils(0, count=1, device_id=1).exception_code == 1


def test_inspire_forces_are_newtons_and_limits_are_set(emulate, opened):
    emulator = emulate("inspire")
    emulator.tell("set", "force", 3, 500)
    driver = opened(INSPIRE, emulator.address, force_limit_N=9.8)
    state = until(lambda: driver.read(0.05)).value
    assert state.force_N == pytest.approx([0, 0, 0, 4.903325, 0, 0])
    assert np.isnan(state.velocity_rad_s).all(), "what is not measured is not zero"
    assert emulator.tell("state")["force_limit"] == [999] * 6
