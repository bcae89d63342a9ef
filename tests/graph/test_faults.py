"""Processes that die, and starts that fail."""

import os
import signal

import pytest
from std_srvs.srv import SetBool

from tactus_core.errors import DeviceError
from tactus_nodes import topics

READY_S = 60.0
SOON_S = 5.0


def kill(launched, label):
    os.kill(launched.running(label)[0].pid, signal.SIGKILL)


@pytest.fixture
def moving(launch):
    """Return a graph in motion: (launched, session, verdicts)."""
    verdicts = []
    with launch() as (launched, session):
        session.wait_ready(READY_S)
        session.listen(topics.VERDICT, verdicts.append)
        session.call(SetBool, "slow_policy/run", data=True)
        session.wait_for(lambda: verdicts and verdicts[-1].state == "running", SOON_S, "motion")
        session.tolerate_faults()
        yield launched, session, verdicts


def test_guard_holds_when_the_fast_policy_dies(moving):
    launched, session, verdicts = moving
    count = len(verdicts)
    kill(launched, "fast_policy")
    session.wait_for(lambda: verdicts[-1].state in ("holding", "stopped"), SOON_S, "rest")
    # First at rest (at once, where the command stood still), and only then the latched stop.
    rest = next(verdict for verdict in verdicts[count:] if verdict.state != "running")
    assert rest.state in ("slowing", "holding")
    assert "timeout" in rest.reasons
    session.wait_for(lambda: verdicts[-1].state == "stopped", SOON_S, "the supervisor's emergency stop")


def test_device_holds_when_the_guard_dies(moving):
    launched, session, _ = moving
    holding = []
    session.listen(topics.DEVICE_HOLDING, lambda message: holding.append(message.data))
    session.wait_for(lambda: holding == [False], SOON_S, "a device that obeys")
    kill(launched, "guard")
    session.wait_for(lambda: holding[-1], SOON_S, "a device that holds by itself")


def test_lost_node_is_named(launch):
    with launch() as (launched, session):
        session.wait_ready(READY_S)
        kill(launched, "sim_device")
        with pytest.raises(DeviceError, match="sim_device"):
            session.run_episode(1)


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [({"task": "wip"}, "wip"), ({"bundle": "no-such-bundle"}, "no-such-bundle"), ({"params": "typo.yaml"}, "heartbeat_timeout")],
    ids=["task", "bundle", "parameter"],
)
def test_start_that_fails_says_why(launch, tmp_path, arguments, culprit):
    if "params" in arguments:
        path = tmp_path / arguments["params"]
        path.write_text("supervisor:\n  ros__parameters:\n    critical: [guard]\n    heartbeat_timeout: 1.0\n")
        arguments = {"params": str(path)}
    with launch(**arguments) as (launched, session):
        with pytest.raises(DeviceError, match=culprit):
            session.wait_ready(READY_S)
        assert launched.wait(READY_S)
