"""The thread that owns a driver: what it passes on, what it lets go, and how it says that the driver hangs or fails."""

import threading
import time

import numpy as np
import pytest

from tactus_core.errors import DeviceError
from tactus_hardware.health import Health
from tactus_hardware.ports import Reading
from tactus_nodes.device_loop import DeviceLoop

PATIENCE_S = 10.0
NEVER_S = 1e6


class Paced:
    """A driver that reads once per `go`, and otherwise stands in its call as long as the test wants."""

    def __init__(self):
        self.health = Health()
        self.sent, self.calls = [], set()
        self._pace = threading.Semaphore(0)
        self._free = False
        self.reads = 0
        self.refusal = None

    def go(self, times=1):
        """Let it come back from so many calls; wait until it stands in the next."""
        awaited = self.reads + times
        self._pace.release(times)
        until(lambda: self.reads >= awaited)

    def let_go(self):
        """Let it come back from all calls, from here on."""
        self._free = True
        self._pace.release()

    def open(self):
        self.calls.add(threading.get_ident())
        if self.refusal:
            raise self.refusal
        self.health.connected = True

    def read(self, timeout_s):
        self.calls.add(threading.get_ident())
        if self._free:
            time.sleep(0.001)
        else:
            self._pace.acquire()
        self.reads += 1
        if self.refusal:
            raise self.refusal
        return Reading(time.monotonic(), self.reads)

    def command(self, position_rad):
        self.calls.add(threading.get_ident())
        self.sent.append(position_rad.tolist())
        return position_rad

    def close(self):
        self.calls.add(threading.get_ident())
        self.health.connected = False


def until(done):
    end_s = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < end_s, f"it did not happen in {PATIENCE_S} s"
        time.sleep(0.001)


@pytest.fixture
def started():
    """Return a function that starts a loop around a paced driver: (driver, loop, readings, holding)."""
    made = []

    def start(command_timeout_s=NEVER_S):
        driver, readings, holding = Paced(), [], []
        loop = DeviceLoop(driver, command_timeout_s, readings.append, holding.append)
        loop.start()
        made.append((driver, loop))
        return driver, loop, readings, holding

    yield start
    for driver, loop in made:
        driver.let_go()
        loop.stop()


def test_every_reading_is_passed_on_and_all_calls_come_from_one_thread(started):
    driver, loop, readings, _ = started()
    loop.command(np.array([1.0]))
    driver.go(5)
    until(lambda: len(readings) == 5)
    assert [reading.value for reading in readings] == [1, 2, 3, 4, 5]
    driver.let_go()
    assert loop.stop()
    assert len(driver.calls) == 1
    assert driver.calls != {threading.get_ident()}


def test_only_the_newest_command_is_passed_on_and_that_once(started):
    driver, loop, _, holding = started()
    for value in range(10):
        loop.command(np.array([float(value)]))
    driver.go(3)
    until(lambda: holding)
    assert driver.sent == [[9.0]]
    assert holding == [False]
    assert loop.refused == 0


def test_a_command_that_waited_too_long_is_let_go_and_the_device_holds(started):
    driver, loop, _, holding = started(command_timeout_s=0.01)
    loop.command(np.array([1.0]))
    waited_from_s = time.monotonic()
    until(lambda: time.monotonic() - waited_from_s > 0.02)  # the driver stands in its call meanwhile
    driver.go()
    until(lambda: loop.refused == 1)
    assert driver.sent == []
    until(lambda: holding == [True])


def test_a_device_that_is_left_holds_by_itself(started):
    driver, loop, _, holding = started()
    loop.command(np.array([1.0]))
    driver.go()
    until(lambda: holding == [False])
    driver.let_go()
    assert loop.stop()
    assert holding == [False, True]
    assert not loop.condition.connected


def test_a_driver_that_hangs_is_told_and_is_not_waited_for(started):
    _, loop, _, _ = started()
    until(lambda: "has not come back" in loop.trouble())
    assert not loop.stop()


def test_a_driver_that_fails_leaves_its_error_and_is_closed(started):
    driver, loop, _, _ = started()
    driver.refusal = ZeroDivisionError("its own mistake")
    driver.go()
    until(lambda: loop.failure is driver.refusal)
    until(lambda: not driver.health.connected)


def test_a_device_that_cannot_be_opened_is_an_error_of_the_start():
    driver = Paced()
    driver.refusal = DeviceError("it is not there")
    with pytest.raises(DeviceError, match="it is not there"):
        DeviceLoop(driver, NEVER_S, print, print).start()
