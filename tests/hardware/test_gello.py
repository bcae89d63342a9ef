"""GELLO over its pty: a leader arm is read, and is never moved."""

import numpy as np
import pytest
from emulated import until

from tactus_core.errors import DeviceError
from tactus_hardware.gello import DEVICE


def test_it_is_limp_and_takes_no_command(emulate, opened):
    emulator = emulate("gello")
    driver = opened(DEVICE, emulator.address)
    emulator.tell("set", "position", 2, -0.7)  # somebody leads it
    until(lambda: (reading := driver.read(0.05)) and abs(reading.value.position_rad[2] + 0.7) < 0.002)
    assert driver.command(np.zeros(7)) is None
    assert emulator.tell("state")["torque"] == [0] * 7
    assert driver.health.trouble == ""
    driver.close()
    with pytest.raises(DeviceError, match=r"\[8\] did not answer"):
        opened(DEVICE, emulator.address, servos=8)
    six = opened(DEVICE, emulator.address, servos=6)
    assert until(lambda: six.read(0.05)).value.position_rad.shape == (6,)
    emulator.tell("set", "position", 5, 3.3)  # more than a turn has
    until(lambda: six.read(0.05) is None and six.health.counts["out_of_range"])
