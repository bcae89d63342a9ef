import dataclasses

import numpy as np
import pytest
from conftest import make_state, write_bundle
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tactus_core.errors import BundleError, DataError, StaleError
from tactus_core.geometry import from_rot6d, rigid, rot6d, rotation_matrix, rotation_vector
from tactus_core.history import StateArrays
from tactus_core.policy.action import interpolate
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import load_card
from tactus_core.policy.encoder import OnnxEncoder
from tactus_core.policy.fast import ChunkPlayer, LatentHead, make_fast_policy
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.types import ActionChunk, ChunkKind

ANCHOR = rigid(np.array([0.5, 0.1, 0.2]), rotation_matrix(np.array([3.0, 0.2, 0.1])))


@pytest.fixture
def states():
    return StateArrays.of([make_state(0.005 * i, ANCHOR, force_N=5.0) for i in range(400)])


def features(bundle):
    return OnnxEncoder(bundle).encode({"wrist": np.full((1, 96, 96, 3), 128, np.uint8)})


def ramp(card, rate=1.0, turn_rad=0.0):
    """A chunk that moves along x, turns about z, and presses, evenly in time."""
    rows = []
    for i in range(card.chunk.steps):
        t = i * card.chunk.dt_s
        R = rotation_matrix(np.array([0, 0, turn_rad * t]))
        rows.append(np.concatenate([[rate * t, 0, 0], rot6d(R), [t]]))
    return ActionChunk(1.0, ChunkKind.ACTION, card.chunk.dt_s, np.array(rows, np.float32), ANCHOR, 7, card.id)


def test_an_encoder_refuses_another_image(action_bundle):
    with pytest.raises(DataError, match=r"\(1, 48, 48, 3\)"):
        OnnxEncoder(Bundle.load(action_bundle)).encode({"wrist": np.zeros((1, 48, 48, 3), np.uint8)})


@pytest.mark.parametrize("kind", list(ChunkKind))
def test_a_chunk_answers_its_observation(kind, request, states):
    bundle = Bundle.load(request.getfixturevalue(f"{kind}_bundle"))
    policy = DiffusionPolicy(bundle, seed=3)
    first, second = (policy.infer(features(bundle), states, 1.0) for _ in range(2))
    assert (first.kind, first.stamp_s, first.bundle) == (kind, 1.0, bundle.card.id)
    assert first.data.shape == bundle.card.sample_shape
    assert first.data.dtype == np.float32
    assert first.dt_s * len(first.data) == pytest.approx(1.6)
    np.testing.assert_allclose(first.T_base_anchor, ANCHOR, atol=1e-12)
    assert (first.sequence, second.sequence) == (1, 2)
    assert not np.array_equal(first.data, second.data)
    policy.reset(3)
    np.testing.assert_array_equal(policy.infer(features(bundle), states, 1.0).data, first.data)


def test_a_plan_needs_its_own_features_and_history(action_bundle, states):
    policy = DiffusionPolicy(Bundle.load(action_bundle))
    with pytest.raises(DataError, match="features"):
        policy.infer(np.zeros(5, np.float32), states, 1.0)
    with pytest.raises(DataError, match="NaN"):
        policy.infer(np.array([0.0, np.nan, np.inf], np.float32), states, 1.0)
    with pytest.raises(StaleError):
        policy.infer(np.zeros(3, np.float32), states, 0.1)


def test_a_denoiser_that_diverges_is_refused(action_bundle, states):
    policy = DiffusionPolicy(Bundle.load(action_bundle), hook=lambda step, sample: np.full_like(sample, np.nan))
    with pytest.raises(DataError, match="not finite"):
        policy.infer(np.zeros(3, np.float32), states, 1.0)


@pytest.mark.parametrize("kind", list(ChunkKind))
def test_the_card_chooses_the_fast_policy(kind, request, robot):
    bundle = Bundle.load(request.getfixturevalue(f"{kind}_bundle"))
    assert isinstance(make_fast_policy(bundle, robot), LatentHead if kind is ChunkKind.LATENT else ChunkPlayer)
    with pytest.raises(BundleError, match="testbot"):
        make_fast_policy(bundle, dataclasses.replace(robot, name="other"))


@pytest.mark.parametrize("kind", list(ChunkKind))
def test_slow_and_fast_fit_together(kind, request, robot, states):
    bundle = Bundle.load(request.getfixturevalue(f"{kind}_bundle"))
    chunk = DiffusionPolicy(bundle).infer(features(bundle), states, 1.0)
    proposal = make_fast_policy(bundle, robot).act(chunk, states, 1.1)
    assert (proposal.stamp_s, proposal.source, proposal.chunk_sequence, proposal.bundle) == (1.1, "policy", 1, bundle.card.id)
    R = proposal.target.T_base_tcp[:3, :3]
    np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-9)
    assert proposal.target.hand_rad.shape == (16,)


def test_the_latent_head_is_a_pure_function_of_the_span(latent_bundle, robot, states):
    bundle = Bundle.load(latent_bundle)
    chunk = DiffusionPolicy(bundle).infer(features(bundle), states, 1.0)
    head = LatentHead(bundle, robot)
    first = head.act(chunk, states, 1.2).target.T_base_tcp
    head.act(chunk, states, 1.5)
    np.testing.assert_array_equal(head.act(chunk, states, 1.2).target.T_base_tcp, first)
    inside = (states.stamp_s >= 1.0 - 1e-9) & (states.stamp_s <= 1.2 + 1e-9)
    span = StateArrays(*(getattr(states, f.name)[inside] for f in dataclasses.fields(states)))
    np.testing.assert_array_equal(head.act(chunk, span, 1.2).target.T_base_tcp, first)
    pressed = dataclasses.replace(states, wrench_tcp=3.0 * states.wrench_tcp)
    assert np.abs(head.act(chunk, pressed, 1.2).target.T_base_tcp - first).max() > 1e-6


def test_the_latent_head_refuses_old_touch(latent_bundle, robot, states):
    bundle = Bundle.load(latent_bundle)
    chunk = DiffusionPolicy(bundle).infer(features(bundle), states, 1.0)
    stopped = StateArrays.of([make_state(0.005 * i, ANCHOR) for i in range(220)])
    with pytest.raises(StaleError, match="newest touch"):
        LatentHead(bundle, robot).act(chunk, stopped, 1.2)
    with pytest.raises(StaleError, match="no robot state"):
        LatentHead(bundle, robot).act(chunk, StateArrays.of([]), 1.2)


@given(after_s=st.floats(0.0, 1.2), turn_rad=st.floats(-4.0, 4.0))
@example(after_s=1.2, turn_rad=0.0)
@settings(max_examples=50, deadline=None)
def test_a_chunk_is_played_by_stamps_each_group_ahead_by_its_latency(action_card, robot, after_s, turn_rad):
    card = action_card
    chunk = ramp(card, rate=0.2, turn_rad=turn_rad)
    target = ChunkPlayer(card, robot).act(chunk, StateArrays.of([]), 1.0 + after_s).target
    expected = ANCHOR @ rigid(np.array([0.2 * after_s, 0, 0]), rotation_matrix(np.array([0, 0, turn_rad * after_s])))
    np.testing.assert_allclose(target.T_base_tcp, expected, atol=1e-5)
    press = min(after_s + card.groups["hand"].latency_s, 1.0)
    np.testing.assert_allclose(target.hand_rad, press, atol=1e-5)


@pytest.fixture(scope="module")
def action_card(tmp_path_factory):
    return load_card(write_bundle(tmp_path_factory.mktemp("bundle") / "tiny", ChunkKind.ACTION) / "card.yaml")


@pytest.mark.parametrize("now_s", [0.9, 2.21, 5.0, np.nan, np.inf])
def test_a_chunk_is_not_played_outside_its_validity(action_bundle, robot, now_s):
    card = Bundle.load(action_bundle).card
    with pytest.raises(StaleError, match="Is the slow policy running"):
        ChunkPlayer(card, robot).act(ramp(card), StateArrays.of([]), now_s)


def test_the_last_entry_is_never_kept(action_bundle):
    card = load_card(action_bundle / "card.yaml")
    chunk = ramp(card)
    assert interpolate(chunk, 1.0 + 31 * 0.05, card)[0] == pytest.approx(1.55)
    with pytest.raises(StaleError, match="ends"):
        interpolate(chunk, 1.0 + 31.1 * 0.05, card)


BAD_CHUNKS = {
    "another bundle": {"bundle": "other@1"},
    "another kind": {"kind": ChunkKind.LATENT},
    "another shape": {"data": np.zeros((31, 10), np.float32)},
    "no numbers": {"data": np.full((32, 10), np.nan, np.float32)},
    "no rotation": {"data": np.zeros((32, 10), np.float32)},
    "no anchor": {"T_base_anchor": np.full((4, 4), np.inf)},
}


@pytest.mark.parametrize("name", BAD_CHUNKS)
@pytest.mark.filterwarnings("error")
def test_a_chunk_that_means_nothing_is_refused(action_bundle, robot, name):
    card = Bundle.load(action_bundle).card
    with pytest.raises(DataError):
        ChunkPlayer(card, robot).act(dataclasses.replace(ramp(card), **BAD_CHUNKS[name]), StateArrays.of([]), 1.1)


def test_rotations_are_interpolated_along_the_geodesic(action_bundle):
    card = load_card(action_bundle / "card.yaml")
    chunk = ramp(card, turn_rad=30.0)  # 1.5 rad between entries
    halfway = interpolate(chunk, 1.025, card)
    np.testing.assert_allclose(rotation_vector(from_rot6d(halfway[3:9])), [0, 0, 0.75], atol=1e-5)
