"""A human takes a running policy's robot over and gives it back: what the run, the record and the device's own log say of it."""

import math
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from rclpy.action import ActionClient
from sensor_msgs.msg import Joy
from solo import solo
from std_srvs.srv import Trigger

from tactus_cli.commands import record
from tactus_cli.report.bag import read
from tactus_cli.takeover.record import commands, told
from tactus_cli.takeover.score import score
from tactus_core.datasets.bag import Bag
from tactus_core.datasets.spans import spans
from tactus_core.errors import DeviceError
from tactus_msgs.action import RunPolicy
from tactus_msgs.srv import ResetEpisode
from tactus_nodes import topics
from tactus_nodes.action_executor import ActionExecutor
from tactus_nodes.recorder import DEPTH, Recorder

PATIENCE_S = 15.0


class Client:
    """A client of the action, and a puck; both speak when they are told to."""

    def __init__(self, session):
        self.session, self.verdicts = session, []
        session.listen(topics.VERDICT.deeper(100), self.verdicts.append)
        self._puck = session.node.create_publisher(Joy, topics.SPACENAV.name, topics.SPACENAV.qos)
        self._loop = ActionExecutor(session.node)
        self._action = ActionClient(session.node, RunPolicy, "run_policy")

    def until(self, done, what, push=None):
        def again():
            self._loop.spin_once(0.002)
            if push is not None:
                message = Joy(axes=[push, 0.0, 0.0, 0.0, 0.0, 0.0], buttons=[0])
                message.header.stamp = self.session.node.get_clock().now().to_msg()
                self._puck.publish(message)
            return done()

        self.session.wait_for(again, PATIENCE_S, what)

    def send(self, **goal):
        self.until(self._action.server_is_ready, "the action")
        asked = self._action.send_goal_async(RunPolicy.Goal(**goal))
        self.until(asked.done, "an answer to the goal")
        return asked.result()

    def result(self, handle, what):
        found = handle.get_result_async()
        self.until(found.done, what)
        return found.result().result


@pytest.fixture(scope="module")
def story(launch, tmp_path_factory):
    """Run it once: a run that a human interrupts and the task ends, one that is cancelled, and one by the services, labelled."""
    folder = tmp_path_factory.mktemp("takeover")
    values = {"record": "true", "ring_s": "60.0", "folder": str(folder / "bag"), "command_log": str(folder / "commands.txt")}
    values |= {"run_policy": "true", "teleop": "spacenav", "take_by": "motion", "params": str(_patient(folder))}
    found = {"log": folder / "commands.txt"}
    with launch(**values) as (_, session):
        session.wait_ready(60.0)
        client = Client(session)
        session.call(ResetEpisode, "sim/reset", seed=1)
        found["refused"] = client.send(bundle="other@1", max_duration_s=5.0).accepted
        handle = client.send(task="hold still", max_duration_s=30.0)
        found["busy"] = client.send(max_duration_s=5.0).accepted
        client.until(lambda: client.verdicts[-1].source == "policy", "the policy to move", push=0.0)
        client.until(lambda: client.verdicts[-1].source == "human", "the human to take over", push=0.6)
        client.until(lambda: client.verdicts[-1].source == "policy", "the policy to have it back", push=0.0)
        session.call(ResetEpisode, "sim/reset", seed=2)
        found["outcome"] = client.result(handle, "the end of the run")
        handle = client.send(max_duration_s=30.0)
        handle.cancel_goal_async()
        found["cancelled"] = client.result(handle, "the end of the run that is cancelled")
        found["short"] = client.result(client.send(max_duration_s=0.2), "the end of the short run")
        session.call(Trigger, "run_policy/start")
        with pytest.raises(DeviceError, match="not over"):
            session.call(Trigger, "run_policy/start")
        found["told"] = [CliRunner().invoke(record.command, [word], catch_exceptions=False).output for word in ("note", "success")]
        client.until(lambda: _free(session), "the label to end the run")
        found["bag"] = Path(session.call(Trigger, "recorder/keep").message)
        found["verdicts"] = client.verdicts
    return found


def _patient(folder):
    """Return parameters for a machine that is busy with other tests."""
    path = folder / "params.yaml"
    teleop = {"ros__parameters": {"input_timeout_s": 0.5, "state_timeout_s": 0.5}}
    path.write_text(yaml.safe_dump({"teleop": teleop, "supervisor": {"ros__parameters": {"heartbeat_timeout_s": 2.0}}}))
    return path


def _free(session):
    try:
        session.call(Trigger, "run_policy/stop")
    except DeviceError as error:
        return "no run is going on" in str(error)
    return False


def test_a_run_says_why_it_ended_and_how_it_went(story):
    assert not story["refused"]
    assert not story["busy"]
    assert (story["outcome"].outcome, story["outcome"].termination_reason, story["outcome"].interventions) == ("success", "outcome", 1)
    assert (story["cancelled"].outcome, story["cancelled"].termination_reason) == ("unknown", "cancelled")
    assert story["short"].termination_reason == "duration"
    assert story["told"] == ["marked: note\n", "marked: success\n"]


def test_the_episodes_are_marked_in_the_record_with_their_labels(story):
    found = spans(Bag(story["bag"]))
    assert [span.success for span in found] == [True, None, None, True]


def test_the_record_holds_every_command_that_the_device_received_and_no_tick_is_lost(story):
    arm, hand = commands(story["log"])
    rows = told(story["bag"])
    # The log goes on after the record was asked for.
    arm, hand = ([sample for sample in part if sample.at_s <= rows[-1].at_s] for part in (arm, hand))
    report = score(rows, arm, hand, [], 0.0, _Limits)
    for part in ("arm", "hand"):
        assert report["executed_against_received"][part]["received"] > 100
        assert report["executed_against_received"][part]["not_in_the_bag"] == 0
    assert report["frames_lost"] == 0


def test_the_verdict_tells_edges_ages_and_whose_weights_acted(story, card):
    verdicts = list(read(story["bag"], {topics.VERDICT: lambda message: message})[topics.VERDICT].values)
    assert sum(v.onset for v in verdicts) == sum(v.offset for v in verdicts) == 1
    (back,) = (i for i, v in enumerate(verdicts) if v.offset)
    assert all(v.intervention for v in verdicts[next(i for i, v in enumerate(verdicts) if v.onset) : back])
    first = next(v for v in verdicts[back:] if v.source == "policy")
    before = next(v for v in reversed(verdicts[:back]) if v.source == "policy")
    assert first.chunk_sequence > before.chunk_sequence, "it planned anew"
    assert first.bundle == card.id
    assert len(first.bundle_hash) == 64
    assert 0.0 <= first.proposal_age_s < 0.1
    assert math.isfinite(first.joints_age_s + first.wrench_age_s + first.touch_age_s)


class _Limits:
    """None: what moves here is a stub."""

    tcp = turn = hand = error = (np.inf,) * 3
    workspace_m = np.array([[-np.inf] * 3, [np.inf] * 3])
    hand_rad = np.array([[-np.inf], [np.inf]])


def test_a_message_that_was_overtaken_on_the_wire_is_counted_for_its_topic(tmp_path):
    with solo(Recorder, "recorder", folder=str(tmp_path / "bag")) as bench:
        out = bench.peer.create_publisher(Joy, "/many", 1)
        bench.until(lambda: "/many" in bench.node._known and out.get_subscription_count(), "the topic to be found")
        sent = bench.node.ticks
        bench.until(lambda: out.publish(Joy()) or "/many" in bench.node._numbers, "the first of them")
        for _ in range(3 * DEPTH):  # three times what waits for a recorder that is busy
            out.publish(Joy())
        bench.until(lambda: "/many" in bench.node._disk.dropped, "those that are missing to be missed")
        assert bench.node.ticks > sent
        assert "dropped /many" in {value.key for value in bench.node.statuses()[0].values}
