"""`cache` from an episode to plans that are timed and evaluated; `compose` from two bundles to the weight that does best."""

import json
from pathlib import Path

import pytest
from borrowed import core_tests
from click import UsageError
from click.testing import CliRunner

pytest.importorskip("torch", reason="the transformer is made by torch, which is not installed: pip install -r requirements/train.txt")

from tactus_cli.commands.bench import command as bench
from tactus_cli.commands.cache import command as cache
from tactus_cli.commands.compose import command as compose
from tactus_cli.commands.evaluate import command as evaluate
from tactus_cli.options import TUNING_SEED
from tactus_core.errors import ConfigError
from tactus_core.policy.card import file_sha256, load_card
from tactus_core.types import ChunkKind

STUB = Path(__file__).parents[1] / "graph" / "stub"
SAMPLING = ("--sampler", "ddpm", "--steps", 12)


def run(command, *arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=True, standalone_mode=False)


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """A bundle that means nothing, for the task of the graph's tests, which is computed and not simulated."""
    monkeypatch.syspath_prepend(str(STUB))  # worker processes begin with the path that this one has
    return core_tests("conftest").write_bundle(tmp_path / "tiny", ChunkKind.ACTION, "stub_robot", task="stub")


def test_a_cache_from_an_episode_to_plans_in_turns(bundle, tmp_path):
    core_tests("tiny_transformer").make_transformer(bundle)
    file, report = tmp_path / "some.cache", tmp_path / "some.json"
    choices = ("--refreshes", 3, "--bubbled", 2, "--plans", 2, "--observe", 1.5, "--out", file, "--json", report)
    made = run(cache, bundle, *SAMPLING, *choices)
    assert made.exception is None
    assert "of the blocks are computed" in made.output
    result = json.loads(report.read_text())
    assert (result["sampler"], result["steps"], result["denoiser_sha256"]) == ("ddpm", 12, file_sha256(bundle / "denoiser.onnx"))
    refreshes = [len(row["refreshes"]) for row in result["blocks"].values()]
    assert (len(refreshes), min(refreshes)) == (6, 3)
    assert result["computed"] == pytest.approx(sum(refreshes) / (6 * 12))
    timed = run(bench, "cache", "--bundle", bundle, "--cache", file, "--few", 4, "--repetitions", 20, "--json", report)
    assert timed.exception is None
    rows = {row["what"]: row for row in json.loads(report.read_text())["plans"]}
    assert list(rows) == ["ddpm 12", "ddim 4", str(file)]
    assert rows[str(file)].keys() - rows["ddim 4"].keys() == {"times_faster"}
    refused = run(evaluate, "--bundle", bundle, "--cache", file)
    assert isinstance(refused.exception, ConfigError)
    assert "is sampled as denoiser" in str(refused.exception)
    assert isinstance(run(evaluate, "--bundle", bundle, "--cache", file, "--graph").exception, UsageError)
    assert "Observe for longer" in str(run(cache, bundle, *SAMPLING, "--observe", 0.1, "--out", file).exception)
    assert isinstance(run(cache, bundle, "--steps", 4, "--refreshes", 5).exception, UsageError)


def test_a_composed_bundle_is_written(bundle, tmp_path):
    made = run(compose, "bundle", bundle, bundle, "--weight", 0.25, "--out", tmp_path / "both")
    assert made.exception is None
    assert "0.25 · " in made.output
    of = load_card(tmp_path / "both" / "card.yaml").training["composed_of"]
    assert [row["weight"] for row in of] == [0.25, 0.75]


def test_a_search_goes_on_where_it_stopped(bundle, tmp_path):
    folder, report = tmp_path / "search", tmp_path / "search.json"
    folder.mkdir()
    lines = [{"parents": [["tiny", file_sha256(bundle / "card.yaml")]] * 2}]
    lines += [{"weight": weight, "seed": TUNING_SEED, "success": weight == 0.5} for weight in (0.1, 0.5)]
    (folder / "outcomes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    choices = ("--weight", 0.9, "--weight", 0.1, "--weight", 0.5, "--episodes", 1, "--workers", 1, "--folder", folder, "--json", report)
    for _ in range(2):  # the second time nothing is left
        assert run(compose, "search", bundle, bundle, *choices).exception is None
        kept = [json.loads(line) for line in (folder / "outcomes.jsonl").read_text().splitlines()]
        assert [(row["weight"], row["seed"]) for row in kept[3:]] == [(0.9, TUNING_SEED)]
    result = json.loads(report.read_text())
    assert [(row["weight"], row["success_rate"]) for row in result["weights"]] == [(0.1, 0.0), (0.5, 1.0), (0.9, kept[3]["success"])]
    assert result["best"]["weight"] == 0.5
    assert load_card(folder / "weight-0.5" / "card.yaml").name == "weight-0.5"
    (folder / "outcomes.jsonl").write_text(json.dumps({"parents": [["another", "0"]]}) + "\n")
    assert "outcomes of other bundles" in str(run(compose, "search", bundle, bundle, *choices).exception)
