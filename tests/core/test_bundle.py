import dataclasses
import json

import numpy as np
import pytest
import yaml
from conftest import write_bundle

from tactus_core.errors import BundleError
from tactus_core.policy.bundle import Bundle, example_observation, find_bundle
from tactus_core.policy.card import dump_card, file_sha256, load_card
from tactus_core.types import ChunkKind


@pytest.fixture(params=list(ChunkKind))
def folder(request, tmp_path):
    return write_bundle(tmp_path / f"tiny-{request.param}", request.param)


def edit(folder, change):
    path = folder / "card.yaml"
    values = yaml.safe_load(path.read_text())
    change(values)
    path.write_text(yaml.safe_dump(values))


def edit_normaliser(folder, change):
    path = folder / "normaliser.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    edit(folder, lambda card: card["normaliser"].update(sha256=file_sha256(path)))


def test_a_card_survives_writing_and_reading(folder):
    card = load_card(folder / "card.yaml")
    dump_card(card, folder / "again.yaml")
    assert load_card(folder / "again.yaml") == card


def test_every_graph_runs_on_the_example_observation(folder):
    bundle = Bundle.load(folder)
    for name, inputs in example_observation(bundle.card).items():
        output = bundle.run(name, **inputs)
        assert output.shape == bundle.card.graphs[name].outputs[0].shape
        assert np.isfinite(output).all()


BROKEN_CARDS = {
    "unknown parameter 'speed'": lambda c: c.update(speed=1.0),
    "Did you mean": lambda c: c["chunk"].update(step=3),
    "needs robot": lambda c: c.pop("robot"),
    "got `format: 1`, expected `format: 2`": lambda c: c.update(format=1),
    "kind is 'banana'": lambda c: c.update(kind="banana"),
    "chunk: expected a mapping": lambda c: c.update(chunk=[1, 2]),
    "clip_sample must be positive": lambda c: c["generator"].update(clip_sample=float("nan")),
    "must not exceed train_steps": lambda c: c["generator"].update(inference_steps=101),
    "must be at least": lambda c: c["streams"]["wrench"].update(max_age_s=0.0),
    "streams are": lambda c: c["streams"].pop("tactile"),
    "must be one of wait, hold": lambda c: c["streams"]["image"].update(reaction="ignore"),
    "groups are": lambda c: c["groups"].pop("hand"),
    "or motion has gaps": lambda c: c.update(replan_s=1.2),
    "Lower validity_s": lambda c: c.update(validity_s=1.6),
    "graphs are": lambda c: c["graphs"].pop("denoiser"),
    "inputs of graph 'encoder'": lambda c: c["graphs"]["encoder"]["inputs"][0].update(shape=[1, 64, 64, 3]),
    "encoder.inputs": lambda c: c["graphs"]["encoder"].update(inputs=[3]),
    "outputs of graph 'encoder'": lambda c: c["graphs"]["encoder"].update(outputs=[]),
    "'shape' must hold int": lambda c: c["graphs"]["encoder"]["outputs"][0].update(shape=[1, "F"]),
    "'shape' must be": lambda c: c["graphs"]["denoiser"]["inputs"][0].update(shape="wide"),
}


@pytest.mark.parametrize("message", BROKEN_CARDS)
def test_a_card_that_is_wrong_is_refused_by_name(folder, message):
    edit(folder, BROKEN_CARDS[message])
    with pytest.raises(BundleError, match=message) as caught:
        Bundle.load(folder)
    assert "card.yaml" in str(caught.value)


def test_kind_and_latent_must_agree(latent_bundle):
    edit(latent_bundle, lambda c: c.update(latent=None))
    with pytest.raises(BundleError, match="latent"):
        Bundle.load(latent_bundle)


def test_a_file_that_is_missing_or_altered_is_refused(folder):
    path = folder / "denoiser.onnx"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(BundleError, match="sha256"):
        Bundle.load(folder)
    path.unlink()
    with pytest.raises(BundleError, match="missing"):
        Bundle.load(folder)


def test_a_graph_that_is_no_graph_is_refused(folder):
    path = folder / "encoder.onnx"
    path.write_bytes(b"not onnx")
    edit(folder, lambda c: c["graphs"]["encoder"].update(sha256=file_sha256(path)))
    with pytest.raises(BundleError, match="ONNX Runtime"):
        Bundle.load(folder)


def test_a_graph_that_differs_from_its_card_is_refused(folder):
    other = folder / "encoder.onnx"
    edit(folder, lambda c: c["graphs"]["denoiser"].update(file=other.name, sha256=file_sha256(other)))
    with pytest.raises(BundleError, match=r"inputs are .*image"):
        Bundle.load(folder)


BROKEN_NORMALISERS = {
    "normalisers are": lambda n: n.pop("low_dim"),
    "expected length 76": lambda n: n["low_dim"].update(offset=[0.0], scale=[1.0]),
    "of one length": lambda n: n["low_dim"].update(offset=[0.0]),
    "positive and finite": lambda n: n["action"]["scale"].__setitem__(3, 0.0),
    "must be finite": lambda n: n["action"]["offset"].__setitem__(3, float("nan")),
    "offset, scale lists": lambda n: n["action"].pop("scale"),
}


@pytest.mark.parametrize("message", BROKEN_NORMALISERS)
def test_a_normaliser_that_cannot_normalise_is_refused(folder, message):
    edit_normaliser(folder, BROKEN_NORMALISERS[message])
    with pytest.raises(BundleError, match=message):
        Bundle.load(folder)


@pytest.mark.parametrize("signals", [[], ["wrench", "wrench"], ["wrench", "warmth"]])
def test_a_window_holds_what_is_felt_each_once(latent_bundle, signals):
    edit(latent_bundle, lambda c: c["latent"].update(window=signals))
    with pytest.raises(BundleError, match=r"latent\.window is"):
        Bundle.load(latent_bundle)


def test_a_card_that_says_nothing_of_its_window_feels_everything(latent_bundle):
    edit(latent_bundle, lambda c: [c["latent"].pop(key) for key in ("window", "window_before_s")])
    card = Bundle.load(latent_bundle).card
    assert (card.latent.window_size, card.latent.window_before_s) == (14, 0.0)


def test_a_latent_normaliser_may_differ_by_step(latent_bundle):
    offset = np.arange(32.0)
    edit_normaliser(latent_bundle, lambda n: n.update(latent={"offset": offset.tolist(), "scale": [2.0] * 32}))
    normaliser = Bundle.load(latent_bundle).normalisers["latent"]
    np.testing.assert_array_equal(normaliser.unnormalise(np.zeros((8, 4), np.float32)), offset.reshape(8, 4))


def test_bundles_are_found_by_path_and_by_name(folder, monkeypatch):
    monkeypatch.setenv("TACTUS_BUNDLES", str(folder.parent))
    assert find_bundle(folder.name) == find_bundle(folder) == folder
    with pytest.raises(BundleError, match=f"'tiny'.*has: {folder.name}"):
        find_bundle("tiny")


def test_normalising_is_undone(folder):
    normaliser = dataclasses.replace(Bundle.load(folder).normalisers["action"], offset=np.float32(2.0), scale=np.float32(0.5))
    values = np.linspace(-1, 1, 10, dtype=np.float32)
    np.testing.assert_allclose(normaliser.normalise(normaliser.unnormalise(values)), values, atol=1e-6)
