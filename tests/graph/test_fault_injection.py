"""`tactus faults` through the shipped launch file, on the task without physics: what is injected is seen, judged, lifted, and over."""

import contextlib
import json
import os
from pathlib import Path

import pytest
from conftest import LAUNCH_FILE, STUB, stub_environment
from rich.console import Console

from tactus_core.errors import DeviceError

READY_S = 60.0


@pytest.fixture
def start(bundle, tmp_path, monkeypatch):
    """Return what runs a campaign over some kinds of fault, once each, and gives its report."""
    from tactus_cli.contract import contract_of
    from tactus_cli.faults import kinds
    from tactus_cli.faults.bounds import Bounds
    from tactus_cli.faults.campaign import Campaign
    from tactus_cli.faults.graph import critical_nodes
    from tactus_nodes.plugins import find_robot

    monkeypatch.syspath_prepend(str(STUB))
    for name, value in stub_environment(bundle).items():
        monkeypatch.setenv(name, value)
    arguments = {"task": "stub", "robot": "stub_robot", "bundle": str(bundle)}
    bounds = Bounds.of(contract_of(LAUNCH_FILE, arguments))
    robot = find_robot("stub_robot")
    critical = critical_nodes(LAUNCH_FILE, arguments, os.environ)

    def run(*names):
        campaign = Campaign(Console(), tmp_path / "faults", 0, False)
        result = campaign.run(LAUNCH_FILE, arguments, robot, kinds.find(names, critical, bounds), 1, dict(os.environ))
        return {row["name"]: row for row in result["faults"]}, result, campaign.folder

    return run


def test_faults_are_injected_judged_and_reported(start):
    rows, result, folder = start("nothing", "silent_proposals", "nan_proposals")
    assert set(rows) == {"nothing", "silent_proposals", "nan_proposals"}
    for name in ("silent_proposals", "nan_proposals"):
        assert rows[name]["time_to_safe_ms"]["max"] is not None
        assert rows[name]["rested"] == 1
        assert rows[name]["recovered"], rows[name]
    for row in rows.values():
        assert row["limit_violations"] == row["unplanned_resumes"] == 0, row
        assert row["commands_without_verdict"] <= 10, row  # of some thousand; on a busy machine the observer misses a verdict
    assert "timeout" in rows["silent_proposals"]["reasons"]
    assert "malformed" in rows["nan_proposals"]["reasons"]
    # On a busy machine a sensor comes too late now and then, and the guard holds for a moment: that is not judged here.
    assert rows["nothing"]["time_to_safe_ms"]["max"] == 0.0
    assert result["verdicts"] > 100
    assert json.loads((folder / "faults.json").read_text())["faults"] == result["faults"]
    assert all((folder / name).stat().st_size for name in ("faults.md", "faults.png"))


def test_a_supervisor_that_dies_ends_the_graph_and_leaves_no_process(start):
    rows, _, folder = start("kill_supervisor")
    assert rows["kill_supervisor"]["recovered"], rows
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if _holds(path, str(folder).encode())]


def _holds(path, text):
    with contextlib.suppress(OSError):
        return text in path.read_bytes()
    return False


def test_a_graph_that_does_not_move_is_an_error_not_a_result(start, monkeypatch):
    from tactus_cli.faults import graph

    monkeypatch.setattr(graph, "_MOTION_S", 0.0)
    with pytest.raises(DeviceError, match="does not move the robot"):
        start("nothing")
