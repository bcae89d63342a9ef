"""From labelled images to a classifier that tells success by what is seen, and says on its card how often it errs."""
# ruff: noqa: E402 (torch is asked for before anything that imports it)

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip(
    "torch", reason="tactus_models trains with torch, which is not installed here: pip install -r requirements/train.txt"
)

import wiping_data

from tactus_core.errors import ConfigError, DataError
from tactus_core.learning.classifier import SuccessClassifier
from tactus_models.config import INSERT, SuccessConfig
from tactus_models.labelled import errors, load_labelled
from tactus_models.success import train_success

TINY = SuccessConfig(encoder_widths=(8, 16), features=8, hidden=8, batch=8, steps=20, learning_rate=3e-2, held_out=0.25)
CONFIG = replace(INSERT, threads=1, success=TINY)


def labelled(folder, episodes=4):
    """Write episodes in which the task is done from 1 s on, and a green bar shows it; of two images nobody knows."""
    folder.mkdir()
    for seed in range(episodes):
        arrays = wiping_data.episode(seed, 2.0)
        done = (arrays["image_t_s"] >= 1.0 - 1e-6).astype(np.int8)
        arrays["image"][done == 1, 60:66, 20:80] = (20, 220, 20)
        done[8:10] = -1
        np.savez(folder / f"{seed}.npz", **arrays, done=done)
    return sorted(folder.glob("*.npz"))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return labelled(tmp_path_factory.mktemp("labelled") / "data")


def test_what_is_trained_tells_success_by_what_is_seen(files, tmp_path):
    result = train_success(files, tmp_path / "work", tmp_path / "insert-success", CONFIG)
    classifier = SuccessClassifier(tmp_path / "insert-success")
    card = classifier.card
    assert card.measured["auc"] == result.metrics["auc"] == 1.0
    assert (card.training["episodes"], card.training["images"]) == (4, 4 * (20 - 3 - 2))
    episode = load_labelled(files[0])
    said = classifier.probabilities(episode.images, episode.states, episode.stamps_s)
    assert said[episode.done == 1].min() > said[episode.done == 0].max()
    again = train_success(files, tmp_path / "work", tmp_path / "insert-success", CONFIG)
    assert again.steps == result.steps
    with pytest.raises(ConfigError, match="another training"):
        train_success(files[:3], tmp_path / "work", tmp_path / "insert-success", CONFIG)


def without_labels(arrays):
    del arrays["done"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without_labels, "done is not a file"),
        (lambda arrays: arrays.update(done=arrays["done"][:-1]), "'done' has shape"),
        (lambda arrays: arrays.update(done=arrays["done"] * 2), "of 1, 0 or -1"),
        (lambda arrays: arrays.update(done=np.zeros_like(arrays["done"])), "show 0 images of success"),
    ],
)
def test_images_that_are_not_labelled_are_refused(files, change, says, tmp_path):
    changed = []
    for file in files:
        arrays = dict(np.load(file))
        change(arrays)
        changed.append(tmp_path / file.name)
        np.savez(changed[-1], **arrays)
    with pytest.raises(DataError, match=says):
        train_success(changed, tmp_path / "work", tmp_path / "out", CONFIG)


def test_no_images_at_all_are_told(tmp_path):
    with pytest.raises(DataError, match="no labelled images"):
        train_success([], tmp_path / "work", tmp_path / "out", CONFIG)


@given(said=st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.booleans()), min_size=1, max_size=8))
def test_errors_are_counted_and_the_area_is_that_of_all_pairs(said):
    probability, done = np.array([p for p, _ in said]), np.array([d for _, d in said])
    got = errors(probability, done, 0.5)
    assert got["accuracy"] == np.mean([(p >= 0.5) == d for p, d in said])
    pairs = [(p > q) + 0.5 * (p == q) for p, d in said if d for q, e in said if not e]
    assert got["auc"] == pytest.approx(np.mean(pairs) if pairs else np.nan, nan_ok=True)
