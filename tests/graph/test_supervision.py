"""Processes that die and come back, or do not; a joystick that falls silent."""

import signal

import pytest
from seen import READY_S, Seen, send
from sensor_msgs.msg import Joy
from std_srvs.srv import Trigger

from tactus_core.errors import DeviceError
from tactus_nodes import topics

CRITICAL = ("sim_device", "sim_camera", "perception", "guard", "fast_policy", "slow_policy")


@pytest.fixture
def graph(launch, request, tmp_path):
    """Return (launched, session, seen) of a graph that is up, with the launch arguments of the test's parameter."""
    impatient = tmp_path / "impatient.yaml"
    impatient.write_text("supervisor:\n  ros__parameters:\n    start_timeout_s: 10.0\n")
    arguments = {name: str(impatient) if value == "IMPATIENT" else value for name, value in getattr(request, "param", {}).items()}
    with launch(**arguments) as (launched, session):
        session.tolerate_faults()  # where nobody holds the joystick the robot may be stopped before the last node is up
        session.wait_ready(READY_S)
        yield launched, session, Seen(session)


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
