"""evaluate, demo, train and bench: what they refuse, in one paragraph each, before anything has been started."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from borrowed import core_tests

from tactus_core.types import ChunkKind

ROOT = Path(__file__).parents[2]


def tactus(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "tactus_cli", *map(str, arguments)], capture_output=True, text=True, **options)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A bundle for the simulated robot that means nothing, written by the helper of core's tests."""
    return core_tests("conftest").write_bundle(tmp_path_factory.mktemp("bundles") / "tiny", ChunkKind.LATENT, "panda_allegro")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "--bundle", "nonesuch"], "no bundle 'nonesuch'"),
        (["evaluate", "--task", "juggle"], "no 'juggle' in entry point group 'tactus.tasks'; installed:"),
        (["evaluate", "--bundle", "tiny", "--join", "prefix"], "join 'prefix' does not fit bundle 'tiny@1'"),
        (["train", "--encoder", "."], "made by ./tactus export"),
        (["evaluate", "--bundle", "tiny", "--shift", "gale"], "task 'wipe' has no shift 'gale'; it knows stiffer"),
        (["demo", "--bundle", "nonesuch"], "no bundle 'nonesuch'"),
        (["demo", "--out", "."], "--out . exists already"),
        (["train", "--seed", "99900", "--episodes", "200"], "seeds 99900 to 100199; expected all below 100000"),
        (
            ["train", "--task", "insert", "--stage", "latent"],
            "is none of task 'insert'; choose from all, demos, base",
        ),
        (
            ["train", "--task", "insert", "--policy", "rdp"],
            "'rdp' is not trained for task 'insert'; choose from unet, transformer, act, flow",
        ),
        (["bench", "policy", "--bundle", "nonesuch"], "no bundle 'nonesuch'"),
    ],
)
def test_error_is_one_paragraph(arguments, message, bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("TACTUS_BUNDLES", str(bundle.parent))
    result = tactus(*arguments, cwd=tmp_path)
    assert result.returncode == 1
    assert message in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


def test_bundle_of_another_task_is_refused(bundle, tmp_path):
    (tmp_path / "other").mkdir()
    for file in bundle.iterdir():
        text = file.read_bytes()
        (tmp_path / "other" / file.name).write_bytes(text.replace(b"task: wipe", b"task: pour") if file.name == "card.yaml" else text)
    result = tactus("evaluate", "--task", "wipe", "--bundle", tmp_path / "other")
    assert result.returncode == 1
    assert "is for task 'pour', not for 'wipe'" in " ".join(result.stderr.split())


def test_viewer_without_a_screen_is_refused(bundle, tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    result = tactus("demo", "--viewer", "--bundle", bundle, cwd=tmp_path)
    assert result.returncode == 1
    assert "DISPLAY is not set" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "--graph", "--replan-s", "0.2"], "--replan-s is for lockstep"),
        (["evaluate", "--graph", "--steps", "4"], "--steps is for lockstep"),
        (["train", "--policy", "act", "--stage", "chunk"], "leave --stage chunk out"),
        (["train", "--policy", "act", "--teacher", "wipe-rdp"], "no other policy learns from a bundle"),
        (["train", "--task", "insert", "--stage", "residual", "--encoder", "."], "--encoder . is for policies that see"),
        (["evaluate", "--graph", "--encoder", ".", "--encoder", ".."], "the graph starts one encoder"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments, message):
    result = tactus(*arguments)
    assert result.returncode == 2
    assert message in " ".join(result.stderr.split())


def test_wiping_in_lockstep_gives_the_stable_keys(bundle, tmp_path):
    pytest.importorskip("pybullet")
    result = tactus("evaluate", "--bundle", bundle, "--episodes", "2", "--seed", "150000", "--json", tmp_path / "out.json")
    assert result.returncode == 0, result.stderr
    report = json.loads((tmp_path / "out.json").read_text())
    assert {"task", "bundle", "episodes", "success_rate", "interval", "parts", "wall_s"} <= set(report)
    assert (report["task"], report["bundle"], report["episodes"]) == ("wipe", "tiny", 2)
    assert [row["seed"] for row in report["outcomes"]] == [150000, 150001]
    assert {"wiped_ok_rate", "in_band_ok_rate", "peak_ok_rate", "wiped_mean", "in_band_mean", "peak_force_N_max"} <= set(report["parts"])
    assert "pybullet" not in result.stdout + result.stderr, "PyBullet's own messages must not spoil the table"


def test_bench_policy_gives_the_stable_keys(bundle, tmp_path):
    result = tactus("bench", "policy", "--bundle", bundle, "--repetitions", "20", "--json", tmp_path / "out.json")
    assert result.returncode == 0, result.stderr
    report = json.loads((tmp_path / "out.json").read_text())
    for name in ("encoder_ms", "denoiser_step_ms", "chunk_ms", "fast_head_ms"):
        assert 0.0 < report[name]["p50"] <= report[name]["p99"]


def test_bench_sim_gives_the_stable_keys(tmp_path):
    pytest.importorskip("pybullet")
    result = tactus("bench", "sim", "--seconds", "1", "--json", tmp_path / "out.json")
    assert result.returncode == 0, result.stderr
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["state_only_x_realtime"] > 0.0
    assert report["with_camera_x_realtime"] > 0.0
    assert report["in_contact"] > 0.9
