"""What encoders that stand alone make is observed as of an observation's stamp: the right encoder's, whole, young, and of no later time."""

import contextlib
import math
from dataclasses import replace

import numpy as np
import pytest
import yaml
from conftest import LOW_DIM, ONE_CAMERA, make_state, write_bundle
from encoder_folders import write_cloud, write_image
from hypothesis import assume, given
from hypothesis import strategies as st

from tactus_core.errors import BundleError, ConfigError, DataError, StaleError
from tactus_core.history import STAMP_EPSILON_S, StateArrays
from tactus_core.perception.beside import encoders_beside
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import file_sha256, load_card, plain_card
from tactus_core.policy.composing import Parent, compose
from tactus_core.policy.encoded import NOTHING, Encoded, numbers
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.policy.specs import DirectSpec, EncoderSpec, ObservationSpec, RemoteSpec, StreamSpec
from tactus_core.types import ChunkKind

SHA256 = "a" * 64
MAX_AGE_S = 0.3  # as the bundles of these tests have it
STATES = StateArrays.of([make_state(0.005 * i, force_N=0.1) for i in range(400)])
GEL, SCENE = EncoderSpec(SHA256, 2, (-0.1, 0.0)), EncoderSpec(SHA256, 3, (0.0,))


def observing(cameras=None, **encoders):
    return ObservationSpec(cameras or {}, LOW_DIM, encoders)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_bundle(
        tmp_path_factory.mktemp("of") / "tiny", ChunkKind.ACTION, observation=observing(gel=GEL, scene=SCENE), generator=DirectSpec()
    )


@pytest.fixture(scope="module")
def card(folder):
    return load_card(folder / "card.yaml")


def test_a_card_names_them_and_one_that_has_none_says_nothing_of_them(card, tmp_path):
    assert card.observation.encoders == {"gel": GEL, "scene": SCENE}
    assert (card.observed_size, card.feature_size, card.observation.leader) == (card.low_dim_size + 7, 0, "encoder/gel")
    assert card.needs - card.feels == {"encoder/gel", "encoder/scene"}
    (condition,) = card.graphs["planner"].inputs
    assert condition.shape == (1, card.low_dim_size + 7)
    without = load_card(write_bundle(tmp_path / "without", ChunkKind.ACTION) / "card.yaml")
    assert "encoders" not in plain_card(without)["observation"]
    assert without.observation.leader == "image"
    assert load_card(write_bundle(tmp_path / "both", ChunkKind.ACTION, observation=observing(ONE_CAMERA, gel=GEL)) / "card.yaml")


def test_they_come_last_in_the_condition_normalised(folder, card):
    bundle = Bundle.load(folder)
    encoded = np.arange(7.0)
    normaliser = replace(bundle.normalisers["encoded"], offset=np.full(7, 1.0, np.float32), scale=np.full(7, 2.0, np.float32))
    bundle = replace(bundle, normalisers={**bundle.normalisers, "encoded": normaliser})
    observed = numbers(card, STATES, 1.0, encoded)
    expected = bundle.run("planner", condition=np.concatenate([observed[:-7], (encoded - 1.0) / 2.0])[None].astype(np.float32))
    chunk = DiffusionPolicy(bundle).infer(np.empty(0, np.float32), STATES, 1.0, encoded)
    np.testing.assert_allclose(chunk.data, expected[0], atol=1e-6)
    for bad in (NOTHING, encoded[:-1], np.full(7, math.nan)):
        with pytest.raises(DataError, match=r"expects \(7,\) of gel, scene"):
            DiffusionPolicy(bundle).infer(np.empty(0, np.float32), STATES, 1.0, bad)


@pytest.mark.parametrize(
    ("alter", "says"),
    [
        (lambda values: values["observation"]["encoders"]["gel"].update(features=0), "at least 1"),
        (lambda values: values["observation"]["encoders"]["gel"].update(features=4), "planner"),
        (lambda values: values["observation"]["encoders"]["gel"].update(at_s=[]), "at least one"),
        (lambda values: values["observation"]["encoders"]["gel"].update(at_s=[0.1]), "at most 0"),
        (lambda values: values["observation"]["encoders"]["gel"].update(colour="red"), "colour"),
        (lambda values: values["observation"]["encoders"]["gel"].update(sha256=""), "64 hexadecimal digits"),
        (lambda values: values["observation"]["encoders"]["gel"].update(sha256=7), "sha256"),
        (lambda values: values["observation"]["encoders"].update({"a/b": values["observation"]["encoders"]["gel"]}), "no name"),
        (lambda values: values["streams"].pop("encoder/gel"), "each needs a maximum age"),
        (lambda values: values["streams"]["encoder/gel"].update(reaction="hold"), "expected `reaction: wait`"),
    ],
)
def test_a_card_that_contradicts_itself_is_refused(folder, alter, says, tmp_path):
    path, values = tmp_path / "card.yaml", yaml.safe_load((folder / "card.yaml").read_text())
    alter(values)
    path.write_text(yaml.safe_dump(values))
    with pytest.raises(BundleError, match=says):
        load_card(path)


def test_a_server_that_is_not_sent_them_is_refused_and_bundles_with_them_are_not_composed(folder, card, tmp_path):
    server = RemoteSpec(url="ws://127.0.0.1:9", state="pose")
    with pytest.raises(BundleError, match="Set `state: low_dim`"):
        replace(card, generator=server, normaliser=None, graphs={}).check("it")
    diffusing = Parent.load(write_bundle(tmp_path / "diffusing", ChunkKind.ACTION, observation=observing(gel=GEL)))
    with pytest.raises(BundleError, match="such are not composed"):
        compose([diffusing, diffusing], [0.5, 0.5], tmp_path / "both")


def told(card, *stamps_s, name="scene"):
    encoded = Encoded(card)
    for stamp_s in stamps_s:
        encoded.hear(name, stamp_s, np.full(card.observation.encoders[name].features, stamp_s, np.float32), SHA256)
    return encoded


@pytest.mark.parametrize(
    ("features", "sha256", "says"),
    [
        (np.zeros(3), "b" * 64, "encoder 'scene': features are of an encoder with the card bbbbbbbbbbbb"),
        (np.zeros(3), "", "none told"),
        (np.zeros(2), SHA256, r"expects \(3,\)"),
        (np.array([0.0, math.nan, 0.0]), SHA256, "finite"),
        (np.array([0.0, math.inf, 0.0]), SHA256, "finite"),
    ],
)
def test_what_is_not_the_encoders_or_not_whole_has_not_come(card, features, sha256, says):
    encoded = told(card, 1.0)
    with pytest.raises(DataError, match=says):
        encoded.hear("scene", 1.1, features, sha256)
    with pytest.raises(DataError, match="two samples"):
        encoded.hear("scene", 1.0, np.zeros(3), SHA256)
    encoded.hear("gel", 0.9, np.zeros(2), SHA256)
    np.testing.assert_array_equal(encoded.at(1.1)[-3:], 1.0)


stamps = st.lists(st.floats(0.0, 3.0), max_size=12)


@given(gel=stamps, scene=stamps, at_s=st.floats(-0.5, 3.5), since_s=st.floats(-1.0, 3.0), max_age_s=st.floats(0.05, 1.0))
def test_nothing_is_of_later_or_too_old_or_of_the_episode_before(card, gel, scene, at_s, since_s, max_age_s):
    """Whatever comes in whatever order: each number is its stamp, so that what was joined tells of itself."""
    streams = {f"encoder/{name}": StreamSpec(max_age_s, "wait") for name in ("gel", "scene")}
    encoded = Encoded(replace(card, streams=streams))
    for name, told_s in (("gel", gel), ("scene", scene)):
        for stamp_s in told_s:
            with contextlib.suppress(DataError):  # the same stamp twice
                encoded.hear(name, stamp_s, np.full(card.observation.encoders[name].features, stamp_s), SHA256)
    wanted_s = at_s + np.array([*([-0.1] * 2), *([0.0] * 2), *([0.0] * 3)])
    try:
        got_s = encoded.at(at_s, since_s)
    except StaleError:
        return
    assert (got_s <= wanted_s + STAMP_EPSILON_S).all()
    assert (wanted_s - got_s <= max_age_s + 2 * STAMP_EPSILON_S).all()
    assert (got_s >= since_s).all()
    assert set(got_s) <= {*gel, *scene}


@given(steps=st.lists(st.floats(0.001, 0.9), min_size=1, max_size=12), share=st.floats(0.0, 1.2))
def test_of_what_comes_in_order_it_is_the_newest_up_to_then(card, steps, share):
    encoded, stamps_s = Encoded(card), np.cumsum(steps)
    for stamp_s in stamps_s:
        for name, spec in card.observation.encoders.items():
            encoded.hear(name, stamp_s, np.full(spec.features, stamp_s), SHA256)
    at_s = share * float(stamps_s[-1])
    wanted_s = at_s + np.array([-0.1, -0.1, *([0.0] * 5)])
    newest_s = np.array([max((s for s in stamps_s if s <= wanted), default=-math.inf) for wanted in wanted_s])
    assume(np.abs(wanted_s - newest_s - MAX_AGE_S).min() > 1e-5)
    assume(np.abs(wanted_s[:, None] - stamps_s).min() > 1e-5)
    if (wanted_s - newest_s > MAX_AGE_S).any():
        with pytest.raises(StaleError, match="told nothing of use"):
            encoded.at(at_s)
    else:
        np.testing.assert_array_equal(encoded.at(at_s), newest_s)


def test_beside_a_policy_runs_the_encoder_that_it_was_trained_with_and_no_other(tmp_path):
    write_image(tmp_path / "one", 96, 96)
    write_image(tmp_path / "other", 96, 96, max_age_s=0.2)
    write_cloud(tmp_path / "cloud")
    spec = {name: EncoderSpec(file_sha256(tmp_path / name / "card.yaml"), 3, (0.0,)) for name in ("one", "cloud")}
    cards = {
        name: load_card(write_bundle(tmp_path / f"of-{name}", ChunkKind.ACTION, observation=observing(seen=of)) / "card.yaml")
        for name, of in spec.items()
    }
    image = np.full((96, 96, 3), 7, np.uint8)
    (encoder,) = encoders_beside(cards["one"], [tmp_path / "one"]).values()
    np.testing.assert_allclose(encoder.encode(image), 7.0)
    with pytest.raises(ConfigError, match="does not observe the encoder in "):
        encoders_beside(cards["one"], [tmp_path / "one", tmp_path / "other"])
    for folders in ([], [tmp_path / "nowhere"], [tmp_path / "other"]):
        with pytest.raises(BundleError, match="observes encoder 'seen', whose card has the sha256"):
            encoders_beside(cards["one"], folders)
    with pytest.raises(ConfigError, match="of kind 'cloud'"):
        encoders_beside(cards["cloud"], [tmp_path / "cloud"])
