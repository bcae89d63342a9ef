"""`tactus engine` from an empty cache, or one with a damaged engine, to networks that other commands run on."""

import json
from pathlib import Path

import pytest
from borrowed import core_tests
from click.testing import CliRunner

from tactus_cli.commands.bench import command as bench
from tactus_cli.commands.engine import command as engine
from tactus_cli.commands.evaluate import command as evaluate
from tactus_core.engines import stored
from tactus_core.engines.making import find_backend, key_of
from tactus_core.engines.port import BACKENDS, PRECISIONS, EngineConfig
from tactus_core.errors import BundleError, ConfigError
from tactus_core.policy.card import load_card
from tactus_core.types import ChunkKind

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """A bundle for the simulated robot that means nothing, written by the helper of core's tests; and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return core_tests("conftest").write_bundle(tmp_path / "tiny", ChunkKind.LATENT, "panda_allegro")


def run(command, *arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=True, standalone_mode=False)


def test_int8_from_an_episode_to_a_comparison(bundle, tmp_path):
    graphs = load_card(bundle / "card.yaml").graphs
    damaged = stored.cache_folder() / key_of(graphs["fast_head"], EngineConfig(precision="int8"), find_backend("onnxruntime")).file_name
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"half an engine")
    made = run(engine, bundle, "--precision", "int8", "--observe", 1, "--json", tmp_path / "made.json")
    assert (made.exception, made.return_value) == (None, 0)
    assert "damaged or cut short" in made.output
    assert "It is built anew." in made.output
    rows = {row["graph"]: row for row in json.loads((tmp_path / "made.json").read_text())["engines"]}
    assert set(rows) == set(graphs)
    assert all(row["state"] == "built" and row["error"] <= row["tolerance"] for row in rows.values())
    compared = run(bench, "engines", "--bundle", bundle, "--repetitions", 20, "--json", tmp_path / "compared.json")
    assert compared.exception is None
    result = json.loads((tmp_path / "compared.json").read_text())
    ran = {(row["backend"], row["precision"]): row for row in result["engines"]}
    assert ran[("onnxruntime", "fp32")]["chunk_error"] == 0.0
    assert ran[("onnxruntime", "int8")]["chunk_ms"]["p99"] > 0.0
    assert ran.keys().isdisjoint((row["backend"], row["precision"]) for row in result["missing"])
    assert len(ran) + len(result["missing"]) == len(BACKENDS) * len(PRECISIONS)


def test_the_reference_needs_no_engine(bundle):
    result = run(engine, bundle)
    assert (result.exception, result.return_value) == (None, 0)
    assert "nothing to build" in result.output


def test_a_rate_is_never_reported_for_another_engine_than_was_asked_for(bundle):
    assert isinstance(run(engine, bundle, "--precision", "fp16").exception, ConfigError)
    refused = run(evaluate, "--bundle", bundle, "--precision", "int8").exception
    assert isinstance(refused, BundleError)
    assert "Build it: ./tactus engine" in str(refused)
