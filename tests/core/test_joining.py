"""How chunks join: what an earlier one plans, seen from a later one; averages; and a beginning that is decided."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import DDIM, make_state, write_bundle
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.errors import ConfigError
from tactus_core.geometry import from_rot6d, rigid, rot6d, rotation_matrix
from tactus_core.history import StateArrays
from tactus_core.policy.action import interpolate
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.joining import COMMITTED_S, continued, ensembled
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.policy.specs import ChunkSpec, DirectSpec, FlowSpec
from tactus_core.types import ActionChunk, ChunkKind

FEATURES = np.zeros(3, np.float32)


def tcp(t_s):
    return rigid(np.array([0.5 + 0.1 * t_s, 0.1, 0.2]), rotation_matrix(np.array([3.0, 0.2, 0.1 + t_s])))


STATES = StateArrays.of([make_state(0.005 * i, tcp(0.005 * i)) for i in range(600)])


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return Bundle.load(write_bundle(tmp_path_factory.mktemp("bundle") / "tiny", ChunkKind.ACTION))


def in_base(row, T_base_anchor):
    return T_base_anchor @ rigid(row[:3].astype(float), from_rot6d(row[3:9]))


@given(seed=st.integers(0, 2**31), later_s=st.floats(0.0, 2.0))
@settings(max_examples=20, deadline=None)
def test_an_earlier_chunk_means_the_same_poses_from_a_later_anchor(bundle, seed, later_s):
    rng = np.random.default_rng(seed)
    turns = [rot6d(rotation_matrix(turn)) for turn in rng.normal(0.0, 0.5, (32, 3))]
    rows = np.hstack([rng.normal(0.0, 0.1, (32, 3)), turns, rng.random((32, 1))]).astype(np.float32)
    chunk = ActionChunk(1.0, ChunkKind.ACTION, 0.05, rows, tcp(1.0), 1, bundle.card.id)
    seen = continued(chunk, 1.0 + later_s, tcp(1.0 + later_s), bundle.card)
    assert len(seen) == pytest.approx(max(0.0, (1.55 - later_s) / 0.05 + 0.5), abs=0.5 + 1e-4)
    for i, row in enumerate(seen):
        expected = interpolate(chunk, 1.0 + later_s + 0.05 * i, bundle.card)
        np.testing.assert_allclose(in_base(row, tcp(1.0 + later_s)), in_base(expected, tcp(1.0)), atol=1e-5)
        assert row[9] == pytest.approx(expected[9], abs=1e-6)


def test_of_several_plans_the_oldest_weighs_most(bundle):
    upright = rot6d(np.eye(3))
    plans = [np.tile(np.concatenate([[x, 0, 0], upright, [0.5]]), (n, 1)).astype(np.float32) for x, n in ((1.0, 2), (0.0, 4))]
    got = ensembled(plans, bundle.card)
    np.testing.assert_allclose(got[:, 0], [1 / (1 + np.exp(-0.01))] * 2 + [0.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(got[:, 3:9], np.tile(upright, (4, 1)), atol=1e-6)


def test_chunks_are_averaged_as_far_as_they_plan_the_same_moments(bundle):
    plain, joined = DiffusionPolicy(bundle), DiffusionPolicy(bundle, join="ensemble")
    raw, got = ([policy.infer(FEATURES, STATES, t) for t in (0.5, 0.9, 1.1)] for policy in (plain, joined))
    np.testing.assert_array_equal(got[0].data, raw[0].data)
    before = [continued(chunk, 1.1, raw[2].T_base_anchor, bundle.card) for chunk in raw[:2]]
    np.testing.assert_allclose(got[2].data, ensembled([*before, raw[2].data], bundle.card), atol=1e-6)
    assert np.abs(got[2].data - raw[2].data).max() > 0.01
    joined.reset(0)
    np.testing.assert_array_equal(joined.infer(FEATURES, STATES, 1.1).data, raw[0].data)


@pytest.mark.parametrize("generator", [DDIM, replace(DDIM, sampler="ddpm"), replace(DDIM, sampler="dpmsolver++"), FlowSpec(6)])
@pytest.mark.parametrize("past_steps", [0, 2])
def test_a_chunk_begins_as_the_one_before_it_goes_on(tmp_path, generator, past_steps):
    chunk = ChunkSpec(0.05, 32, past_steps)
    bundle = Bundle.load(write_bundle(tmp_path / "tiny", ChunkKind.ACTION, generator=generator, chunk=chunk))
    policy = DiffusionPolicy(bundle, join="prefix")
    first, second = (policy.infer(FEATURES, STATES, t) for t in (0.5, 0.93))
    expected = continued(first, 0.93, second.T_base_anchor, bundle.card)
    committed = int(COMMITTED_S / 0.05) + 1
    np.testing.assert_allclose(second.data[:committed], expected[:committed], atol=1e-5)
    assert np.abs(second.data[committed] - expected[committed]).max() > 0.01


def test_time_that_begins_anew_has_nothing_to_join_on_to(bundle):
    policy, plain = DiffusionPolicy(bundle, join="prefix"), DiffusionPolicy(bundle)
    for t in (1.5, 0.5):
        assert np.array_equal(policy.infer(FEATURES, STATES, t).data, plain.infer(FEATURES, STATES, t).data)


def test_what_cannot_be_joined_is_refused(latent_bundle, tmp_path):
    direct = Bundle.load(write_bundle(tmp_path / "direct", ChunkKind.ACTION, generator=DirectSpec()))
    DiffusionPolicy(direct, join="ensemble")
    for bundle, join in ((direct, "prefix"), (direct, "guided"), (Bundle.load(latent_bundle), "ensemble"), (direct, "glue")):
        with pytest.raises(ConfigError, match=f"join '{join}'"):
            DiffusionPolicy(bundle, join=join)


def test_guidance_without_a_gradient_is_refused_and_the_way_out_named(bundle):
    with pytest.raises(ConfigError, match=r"this engine does not give.*train\.txt.*engine tiny --backend torch.*or choose --join prefix"):
        DiffusionPolicy(bundle, join="guided")
