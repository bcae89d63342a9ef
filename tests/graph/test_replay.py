"""Recordings through the shipped replay graph: what is felt, what is decided, and that the report says so."""

import json
from pathlib import Path

import pytest
from processes import loaded
from rich.console import Console

from tactus_core.policy.bundle import Bundle
from tactus_nodes import topics
from tactus_nodes.plugins import find

ROOT = Path(__file__).parents[2]
READY_S = 60.0


@pytest.fixture(scope="session")
def recordings():
    return loaded("recorded", "hardware/recorded.py")


@pytest.fixture
def replay(stubbed, bundle, tmp_path):
    """Return a function that replays a recording and gives the report's figures."""
    from tactus_cli.replay import Replay

    def play(source, **options):
        recording = find("tactus.devices", "recording")(source, **options)
        run = Replay(source, recording, 1.0, tmp_path / "replay", Console(quiet=True))
        run.run(bundle, Bundle.load(bundle).card, options.get("take", 0), options.get("rate_Hz", 0.0), 0)
        run.report()
        written = json.loads((tmp_path / "replay" / "report.json").read_text())
        assert written["ended"] == "ended"
        assert {name: count["played"] for name, count in written["streams"].items()} == recording.info.counts
        assert all((tmp_path / "replay" / file).exists() for file in written["files"].values())
        return written

    return play


def test_contact_is_told_at_its_frames_and_the_guard_holds(replay, recordings, tmp_path):
    report = replay(recordings.write_gif(tmp_path / "press.gif", frames=20, onset=12, release=17))
    assert report["touch"]["onset_frames"] == [12]
    assert report["touch"]["release_frames"] == [17]
    assert report["missing"] == ["joint_states", "wrench", "tactile", "camera/image"]
    assert set(report["guard"]["states"]) == {"holding"}
    assert "state_missing" in report["guard"]["reasons"]
    assert report["policy"]["proposals"] == 0


def test_lone_jump_is_left_out_and_a_blow_is_passed_on(replay, recordings, tmp_path):
    report = replay(recordings.write_mat(tmp_path / "trace.mat"), take=1)
    lone, blow = report["force"]["jumps"]
    assert (lone["readings"], lone["done"]) == (1, "left out: it jumped alone")
    assert lone["t_s"] == pytest.approx(400 / 694.0, abs=1e-3)
    assert (blow["readings"], blow["done"]) == (8, "passed on whole: it lasted")
    assert report["force"]["bias_N"] == pytest.approx([0.1, -0.2, -1.5], abs=0.02)
    assert report["force"]["counts"]["records"] == 600
    assert "wrench" not in report["missing"]


def test_bag_of_ours_makes_the_policy_propose(launch, replay, tmp_path):
    bag = tmp_path / "bag"
    verdicts = []
    with launch(record="true", run="true", folder=str(bag)) as (_, session):
        session.wait_ready(READY_S)
        session.listen(topics.VERDICT, verdicts.append)
        session.wait_for(lambda: sum(v.state == "running" for v in verdicts) > 300, 30.0, "three hundred verdicts in motion")
    report = replay(bag)
    assert set(report["streams"]) == {"joint_states", "wrench", "tactile", "camera/image"}
    assert report["missing"] == []
    assert report["policy"]["proposals"] > 0
    assert report["guard"]["states"]["running"] > 0
    assert report["guard"]["after_the_end"][0] == "holding"
    assert report["policy"]["against_recorded"]["matched"] > 0
