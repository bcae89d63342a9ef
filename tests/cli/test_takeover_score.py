"""The report of `bench takeover`, from a run whose numbers are known."""

import numpy as np
import pytest
from click.testing import CliRunner

from tactus_cli.commands.bench import command
from tactus_cli.faults.limits import Limits
from tactus_cli.faults.observation import Sample
from tactus_cli.takeover import bench
from tactus_cli.takeover.record import Told, commands
from tactus_cli.takeover.score import score
from tactus_core.errors import DataError
from tactus_core.guard.config import GuardConfig

LIMITS = Limits.of(GuardConfig(), np.array([[-1.0], [1.0]]))
TICK_S, START_S, EPOCH_S = 0.005, 1000.0, 5e8
HUMAN = range(40, 80)
DELAY_S = 0.002


def run(jump=0.0, leave_out=(), overwritten=()):
    """A tcp at 0.1 m/s, a human in between. jump: at the onset [m]. leave_out: ticks that the bag lacks; overwritten: the device."""
    told, arm, hand = [], [], []
    for i in range(120):
        at_s, human = START_S + i * TICK_S, i in HUMAN
        pose = np.array([0.5 + 0.1 * i * TICK_S + jump * (i >= HUMAN[0]), 0.0, 0.3, 0.0, 0.0, 0.0, 1.0])
        stamp_s = at_s - 0.004 + EPOCH_S
        stamp = (int(stamp_s), round((stamp_s % 1) * 1e9))
        verdict = Told(
            at_s,
            "running",
            (),
            pose,
            np.array([0.1]),
            i + 1,
            "human" if human else "policy",
            human,
            i == HUMAN[0],
            i == HUMAN[-1] + 1,
            stamp,
        )
        if i not in leave_out:
            told.append(verdict)
        if i not in overwritten:
            arm.append(Sample(at_s + DELAY_S, pose))
            hand.append(Sample(at_s + DELAY_S, np.array([0.1])))
    return score(told, arm, hand, [START_S + HUMAN[0] * TICK_S - 0.007], EPOCH_S, LIMITS)


def test_a_smooth_and_whole_run():
    found = run()
    assert found["input_to_command_ms"] == {"p50": 9.0, "p99": 9.0, "max": 9.0}
    assert [row["p50"] for row in found["hops_ms"].values()] == pytest.approx([3.0, 4.0, 2.0], abs=0.01)
    assert (found["takeovers"], found["unanswered"], found["edges"], found["frames_lost"]) == (1, 0, 2, 0)
    assert found["edge_jerk_max"] < 1.0
    assert found["limits_broken"] == {}
    assert found["executed_against_received"]["arm"] == {"received": 120, "not_in_the_bag": 0, "not_at_the_device": 0}
    assert found["given_back_to_policy_ms"]["p50"] == 0.0


def test_a_jump_at_the_edge_breaks_limits():
    found = run(jump=0.01)
    assert found["edge_velocity_step_max_m_s"] == pytest.approx(2.0, rel=0.01)
    assert {"tcp speed", "tcp acceleration", "tcp jerk"} <= set(found["limits_broken"])


def test_what_the_bag_lacks_and_what_never_arrived_is_counted():
    found = run(leave_out=(50, 51, 100), overwritten=(60,))
    assert found["frames_lost"] == 2 + 4, "two ticks, and their commands to arm and hand"
    assert found["executed_against_received"]["arm"] == {"received": 119, "not_in_the_bag": 3, "not_at_the_device": 1}


def test_a_push_that_nobody_answers_is_no_latency():
    found = score([], [], [], [1.0], EPOCH_S, LIMITS)
    assert (found["unanswered"], found["input_to_command_ms"]["p50"], found["edge_jerk_max"]) == (1, None, None)


def test_a_log_that_was_cut_off_is_refused(tmp_path):
    (tmp_path / "log").write_text("arm/target_pose 1.5 3 4 0.1 0.2\nhand/joint_cmd 1.6 3 4 0.5\nar")
    with pytest.raises(DataError, match="line 3"):
        commands(tmp_path / "log")


def test_the_command_shows_and_writes_the_report(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "measure", lambda *_: run(leave_out=(50,)) | {"lost_by_silence": 0, "realtime_scheduling": False})
    monkeypatch.setattr("tactus_cli.domain.require_quiet_domain", lambda: None)
    result = CliRunner().invoke(command, ["takeover", "--json", str(tmp_path / "report.json")], catch_exceptions=False)
    assert "input to command            9.000" in result.output
    assert "limits broken there: none" in result.output
    assert '"frames_lost": 3' in (tmp_path / "report.json").read_text()
