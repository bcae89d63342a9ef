"""Processes that die, freeze and come back; the emergency stop, who presses it, and when it may be released."""

import contextlib
import os
import signal
import subprocess
import sys

import pytest
from sensor_msgs.msg import Joy
from std_msgs.msg import Bool
from std_srvs.srv import SetBool, Trigger

from tactus_core.errors import DeviceError
from tactus_nodes import topics

READY_S = 60.0
SOON_S = 15.0
CRITICAL = ("sim_device", "sim_camera", "perception", "guard", "fast_policy", "slow_policy")


class Seen:
    """What the graph said last."""

    def __init__(self, session):
        self.session = session
        self.estop = self.ready = self.verdict = None
        self.said = ""
        session.tolerate_faults()
        for topic, take in (
            (topics.ESTOP, lambda message: setattr(self, "estop", message.data)),
            (topics.READY, lambda message: setattr(self, "ready", message.data)),
            (topics.VERDICT, lambda message: setattr(self, "verdict", message)),
            (topics.DIAGNOSTICS, self._take_diagnostics),
        ):
            session.listen(topic, take)

    def _take_diagnostics(self, message):
        for status in message.status:
            if status.name == "supervisor":
                self.said = status.message

    def until(self, done, what):
        self.session.wait_for(done, SOON_S, what)

    def until_stopped(self):
        self.until(lambda: self.estop is True, "the emergency stop")

    def until_ready(self):
        self.session.wait_for(lambda: self.ready, READY_S, "the return of all nodes")  # a process starts anew, as at the start

    def until_moving(self):
        self.until(lambda: self.verdict is not None and self.verdict.state == "running", "motion")

    def reset(self):
        """Reset as soon as the cool-down is over; another refusal is an error."""

        def taken():
            try:
                self.session.call(Trigger, "supervisor/reset")
            except DeviceError as refusal:
                if "a moment ago" not in str(refusal):
                    raise
                return False
            return True

        self.until(taken, "a reset after the cool-down")
        assert self.session.call(SetBool, "slow_policy/run", data=False).success


@pytest.fixture
def graph(launch, request, tmp_path):
    """Return (launched, session, seen) of a graph that is up, with the launch arguments of the test's parameter."""
    impatient = tmp_path / "impatient.yaml"
    impatient.write_text("supervisor:\n  ros__parameters:\n    start_timeout_s: 10.0\n")
    arguments = {name: str(impatient) if value == "IMPATIENT" else value for name, value in getattr(request, "param", {}).items()}
    with launch(**arguments) as (launched, session):
        session.wait_ready(READY_S)
        yield launched, session, Seen(session)


def send(launched, label, number):
    os.kill(launched.running(label)[0].pid, number)


def test_every_killed_process_stops_the_robot_comes_back_and_works_after_a_reset(graph):
    launched, session, seen = graph
    seen.until_ready()
    for seed, label in enumerate(CRITICAL):
        send(launched, label, signal.SIGKILL)
        seen.until_stopped()
        with pytest.raises(DeviceError, match=f"{label} is|a moment ago"):
            session.call(Trigger, "supervisor/reset")
        seen.until(lambda label=label: f"{label} is lost" in seen.said, "the cause in the diagnostics")
        seen.until(lambda: not seen.ready, "the news that not all are active")
        seen.until_ready()
        assert seen.estop is True
        seen.reset()
        seen.until(lambda: not seen.estop and seen.verdict.state == "holding", "the release")
        assert session.run_episode(seed).success
    assert {running.starts for running in launched.processes} == {1, 2}


def test_frozen_process_that_goes_on_needs_no_more_than_a_reset(graph):
    launched, session, seen = graph
    send(launched, "guard", signal.SIGSTOP)
    seen.until_stopped()
    with pytest.raises(DeviceError, match="guard is lost"):
        seen.reset()
    send(launched, "guard", signal.SIGCONT)
    seen.until_ready()
    seen.reset()
    assert session.run_episode(1).success
    assert launched.running("guard")[0].starts == 1


@pytest.mark.parametrize("graph", [{"run": "true"}], indirect=True)
def test_restarted_slow_policy_that_runs_by_its_parameter_moves_nothing_before_a_reset(graph):
    launched, session, seen = graph
    seen.until_moving()
    send(launched, "slow_policy", signal.SIGKILL)
    seen.until_stopped()
    seen.until(lambda: not seen.ready, "the loss")
    seen.until_ready()
    chunks, states = [], []
    session.listen(topics.CHUNK, lambda message: chunks.append(message.steps))
    session.listen(topics.VERDICT, lambda message: states.append(message.state))
    seen.until(lambda: sum(map(bool, chunks)) >= 2, "two plans of the restarted policy")
    assert set(states) == {"stopped"}
    session.call(Trigger, "supervisor/reset")
    seen.until_moving()


def test_anybody_presses_and_the_cool_down_is_kept(graph):
    _, session, seen = graph
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


@pytest.mark.parametrize("graph", [{"restart": "false", "params": "IMPATIENT"}], indirect=True)
def test_node_that_does_not_come_back_is_said_with_the_next_step(graph):
    launched, session, seen = graph
    send(launched, "sim_camera", signal.SIGKILL)
    seen.until_stopped()
    seen.until(lambda: _refusal(session).endswith("start the graph again."), "the refusal with the next step")


def _refusal(session):
    with pytest.raises(DeviceError) as caught:
        session.call(Trigger, "supervisor/reset")
    return str(caught.value)


@pytest.mark.parametrize("graph", [{"joystick": "true"}], indirect=True)
def test_joystick_stops_by_button_and_by_silence_and_its_dead_man_is_held_or_nothing(graph):
    _, session, seen = graph
    joy = session.node.create_publisher(Joy, topics.JOY.name, topics.JOY.qos)
    dead_man = []
    session.listen(topics.DEAD_MAN, lambda message: dead_man.append(message.data))
    buttons = [0] * 6
    seen.until_stopped()  # nobody is there at the start
    timer = session.node.create_timer(0.05, lambda: joy.publish(Joy(buttons=buttons)))
    seen.until(lambda: dead_man and not dead_man[-1], "word of the dead-man")
    seen.reset()
    buttons[4] = 1
    seen.until(lambda: dead_man[-1], "the dead-man")
    seen.until(lambda: seen.estop is False, "the release")
    buttons[1] = 1
    seen.until_stopped()
    buttons[1] = 0
    seen.until(lambda: seen.estop is True, "the stop")
    seen.reset()
    seen.until(lambda: seen.estop is False and dead_man[-1], "the release")
    timer.cancel()
    seen.until_stopped()
    seen.until(lambda: not dead_man[-1], "the end of the dead-man")


def test_command_presses_and_resets(graph):
    _, _, seen = graph

    def tactus(*arguments):
        return subprocess.run([sys.executable, "-m", "tactus_cli", "estop", *arguments], capture_output=True, text=True, timeout=60)

    pressed = tactus("--press")
    assert pressed.returncode == 0, pressed.stderr
    seen.until_stopped()
    taken = tactus("--reset")
    assert taken.returncode == 0, taken.stderr
    seen.until(lambda: seen.estop is False, "the release")
    assert tactus().returncode == 1


def test_panel_obeys_its_keys_and_leaves_without_a_press(graph):
    _, _, seen = graph
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
