"""FT 300 over a pty: what is this sensor's own, and the emulator against a client that others wrote."""

import numpy as np
import pytest
from emulated import until
from pymodbus.client import ModbusSerialClient

from tactus_hardware.ft300 import DEVICE, protocol

WRENCH = np.array([1.0, 2.0, -10.0, 0.1, -0.2, 0.3])


def test_pymodbus_reads_the_emulator_and_starts_its_stream(emulate):
    emulator = emulate("ft300")
    emulator.tell("set", "wrench", *WRENCH)
    with ModbusSerialClient(emulator.address["port"], baudrate=protocol.BAUD, timeout=2.0) as client:

        def forces():
            found = client.read_holding_registers(protocol.FIRST_FORCE_REGISTER, count=6, device_id=protocol.DEVICE_ID)
            return np.array(client.convert_from_registers(found.registers, client.DATATYPE.INT16)) * protocol.SCALE

        until(lambda: np.abs(forces() - WRENCH).max() < 0.2)
        assert not emulator.tell("state")["streaming"]
        client.write_registers(protocol.STREAM_REGISTER, [protocol.STREAM_ON], device_id=protocol.DEVICE_ID)
    assert emulator.tell("state")["streaming"]


def test_closing_stops_the_stream_and_opening_works_while_it_runs(emulate, opened):
    emulator = emulate("ft300")
    first = opened(DEVICE, emulator.address)
    until(lambda: first.read(0.05))
    first._disconnect()  # as if its process had died: the sensor goes on
    assert emulator.tell("state")["streaming"]
    second = opened(DEVICE, emulator.address)
    until(lambda: second.read(0.05))
    second.close()
    until(lambda: not emulator.tell("state")["streaming"])


def test_pressing_the_emulated_sensor_pushes_the_tool_back(emulate, opened):
    emulator = emulate("ft300")
    # Its z points into the flange here: half a turn about x.
    driver = opened(DEVICE, emulator.address, rotation_tcp_sensor_rad=[np.pi, 0.0, 0.0])
    emulator.tell("set", "wrench", 0, 0, 20, 0, 0, 0)
    reading = until(lambda: (found := driver.read(0.05)) and abs(found.value[2]) > 15 and found)
    assert reading.value[2] == pytest.approx(-20.0, abs=0.2)


def test_a_reading_that_only_repeats_makes_the_driver_fall_silent(emulate, opened):
    """Frames carry no number, and this sensor's noise shows in each reading: one that repeats for ever is an electronics' echo."""
    emulator = emulate("ft300")
    driver = opened(DEVICE, emulator.address)
    until(lambda: driver.read(0.05))
    emulator.tell("fault", "stuck", 1.0)
    until(lambda: driver.read(0.05) is None and not driver.health.connected)
    assert driver.health.counts["repeated"] > 0
    assert "Check its power" in driver.health.trouble
