"""Who presses the emergency stop, and when it may be released: gentle enough for one graph to serve all."""

import contextlib
import os
import signal
import subprocess
import sys

import pytest
from seen import READY_S, SOON_S, Seen, send
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from tactus_core.errors import DeviceError
from tactus_nodes import topics


@pytest.fixture(scope="module")
def one_graph(launch):
    with launch() as (launched, session):
        session.wait_ready(READY_S)
        yield launched, session


@pytest.fixture
def lasting(one_graph):
    """Return (launched, session, seen) of the one graph that the gentler tests share; it is left released, with all nodes active."""
    launched, session = one_graph
    seen = Seen(session)
    seen.until(lambda: seen.estop is False and seen.ready, "a graph that is up and released")
    yield launched, session, seen
    seen.until_ready()
    if seen.estop:
        seen.reset()
        seen.until(lambda: not seen.estop, "the release")


def test_frozen_process_that_goes_on_needs_no_more_than_a_reset(lasting):
    launched, session, seen = lasting
    send(launched, "guard", signal.SIGSTOP)
    seen.until_stopped()
    with pytest.raises(DeviceError, match="guard is lost"):
        seen.reset()
    send(launched, "guard", signal.SIGCONT)
    seen.until_ready()
    seen.reset()
    assert session.run_episode(1).success
    assert launched.running("guard")[0].starts == 1


def test_anybody_presses_and_the_cool_down_is_kept(lasting):
    _, session, seen = lasting
    request = session.node.create_publisher(Bool, topics.ESTOP_REQUEST.name, topics.ESTOP_REQUEST.qos)
    seen.until(lambda: request.get_subscription_count() > 0, "the supervisor's ear")
    request.publish(Bool(data=False))
    request.publish(Bool(data=True))
    seen.until_stopped()
    seen.until(lambda: seen.verdict is not None and seen.verdict.state == "stopped", "the guard's stop")
    with pytest.raises(DeviceError, match=r"a moment ago; a reset is taken in \d"):
        session.call(Trigger, "supervisor/reset")
    assert seen.estop is True
    assert "asked for on estop/request" in seen.said
    seen.reset()
    seen.until(lambda: seen.verdict.state == "holding", "the release")
    assert seen.said == "active"


def test_command_presses_and_resets(lasting):
    _, _, seen = lasting

    def tactus(*arguments):
        return subprocess.run([sys.executable, "-m", "tactus_cli", "estop", *arguments], capture_output=True, text=True, timeout=60)

    pressed = tactus("--press")
    assert pressed.returncode == 0, pressed.stderr
    seen.until_stopped()
    taken = tactus("--reset")
    assert taken.returncode == 0, taken.stderr
    seen.until(lambda: seen.estop is False, "the release")
    assert tactus().returncode == 1


def test_panel_obeys_its_keys_and_leaves_without_a_press(lasting):
    _, _, seen = lasting
    master, slave = os.openpty()
    panel = subprocess.Popen([sys.executable, "-m", "tactus_cli", "estop"], stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    os.set_blocking(master, False)
    shown = bytearray()

    def shows(*words):
        with contextlib.suppress(OSError):  # nothing new, or the panel has left
            shown.extend(os.read(master, 65536))
        return all(word in shown for word in words)

    try:
        seen.until(lambda: shows(b"released", b"holding"), "the panel")
        os.write(master, b" ")
        seen.until_stopped()
        seen.until(lambda: shows(b"PRESSED"), "the press on the panel")
        seen.session.wait_for(lambda: _resets(master, seen), SOON_S, "the release")
        os.write(master, b"q")
        seen.until(lambda: shows(b"never shown") or panel.poll() is not None, "the end of the panel")
        assert panel.returncode == 0
        assert seen.estop is False
    finally:
        panel.kill()
        panel.wait()
        os.close(master)


def _resets(master, seen):
    os.write(master, b"r")
    return seen.estop is False
