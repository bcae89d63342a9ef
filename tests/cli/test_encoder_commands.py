"""Encoders by the command line: made without torch where no weights are needed, and timed by the classes that nodes use."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from tactus_cli.commands.bench import command as bench
from tactus_cli.commands.export import command as export
from tactus_core.errors import BundleError, ConfigError
from tactus_core.perception.embedding import MarkerEmbedding
from tactus_core.perception.encoder_card import MATRIX, MEAN, load_encoder_card


def run(command, *words):
    result = CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_principal_components_become_an_encoder(tmp_path):
    pca = tmp_path / "pca"
    pca.mkdir()
    np.save(pca / MEAN, np.zeros(50, np.float32))
    np.save(pca / MATRIX, np.eye(50, 15, dtype=np.float32))
    told = run(export, "markers", pca, tmp_path / "gel", "--diameter", 7.0, "--max-age", 0.1, "--licence", "MIT")
    assert "gel@1, kind markers, 15 features" in told
    card = load_encoder_card(tmp_path / "gel")
    assert (card.settings["diameter_px"], card.max_age_s, card.licence) == (7.0, {"touch_image": 0.1}, "MIT")
    assert MarkerEmbedding.load(tmp_path / "gel").dots == 25
    np.save(pca / MATRIX, np.ones((50, 15)))
    with pytest.raises(BundleError, match="no principal components"):
        run(export, "markers", pca, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_hand_becomes_an_encoder(tmp_path):
    assert "51 features" in run(export, "hand", tmp_path / "hand")
    card = load_encoder_card(tmp_path / "hand")
    assert card.max_age_s == {"joint_states": 0.3, "cloud": 1.0}
    assert len(card.training["links"]) == 17
    with pytest.raises(ConfigError, match="nobody"):
        run(export, "hand", tmp_path / "other", "--robot", "nobody")


def test_the_bench_measures_each_step(tmp_path):
    told = run(bench, "encoders", "--repetitions", 30, "--json", tmp_path / "out.json")
    result = json.loads((tmp_path / "out.json").read_text())
    assert all(0.0 < row["p50"] <= row["p99"] for row in result["ms"].values())
    assert all(name in told for name in result["ms"])
    assert result["dots_error_px"]["mean"] <= 0.3
