"""One policy in the stub's world, in lockstep and through the node graph: the same episodes, the same report."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from tactus_core.policy.card import dump_card, load_card


@pytest.fixture
def stub_bundle(bundle, tmp_path):
    folder = shutil.copytree(bundle, tmp_path / "stub")
    dump_card(replace(load_card(folder / "card.yaml"), task="stub"), folder / "card.yaml")
    return folder


@pytest.mark.parametrize("ways", [[], ["--graph", "--no-realtime"]], ids=["lockstep", "graph"])
def test_evaluate_reports_every_episode(ways, stub_bundle, stubbed, tmp_path):
    command = [sys.executable, "-m", "tactus_cli", "evaluate", "--task", "stub", "--bundle", str(stub_bundle), *ways]
    result = subprocess.run(
        [*command, "--episodes", "2", "--seed", "41", "--json", str(tmp_path / "out.json")], capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stdout + result.stderr
    report = json.loads((tmp_path / "out.json").read_text())
    assert {"task", "bundle", "episodes", "success_rate", "interval", "parts", "wall_s"} <= set(report)
    assert [row["seed"] for row in report["outcomes"]] == [41, 42]
    assert report["success_rate"] == 1.0
    assert report["parts"]["commands_mean"] > 0
