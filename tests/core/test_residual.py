"""A residual is nothing at zero, never more than its limits, and a pure function of what it is given."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
import yaml
from conftest import LOW_DIM, make_state, write_bundle
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.errors import BundleError, DataError, StaleError
from tactus_core.geometry import rigid, rot6d, rotation_matrix, rotation_vector
from tactus_core.history import StateArrays
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import load_card
from tactus_core.policy.fast import make_fast_policy
from tactus_core.policy.residual import corrected, decided_s, observation, twist
from tactus_core.policy.signals import CommandedSpec
from tactus_core.policy.specs import AXES, RemoteSpec, ResidualSpec
from tactus_core.types import ActionChunk, ChunkKind, Proposal, Target

SPEC = ResidualSpec(dt_s=0.05, limit_m=0.008, limit_rad=0.05)
T_START = rigid(np.array([0.5, 0.1, 0.2]), rotation_matrix(np.array([3.0, 0.2, 0.1])))
vectors = st.lists(st.floats(-1.5, 1.5), min_size=3, max_size=3).map(np.array)
poses = st.builds(lambda at, turn: rigid(at, rotation_matrix(turn)), vectors, vectors)


@pytest.fixture(scope="module")
def states():
    turns = (rotation_matrix(np.array([0.0, 0.0, 0.001 * i])) for i in range(400))
    return StateArrays.of([make_state(0.005 * i, T_START @ rigid(np.array([0.0, 0.0, 1e-4 * i]), R), 5.0) for i, R in enumerate(turns)])


@pytest.fixture(scope="module", params=list(ChunkKind))
def bundles(request, tmp_path_factory):
    """The same policy alone, with a residual that is not trained, and with one that is."""
    folder = tmp_path_factory.mktemp("residual")
    made = (("base", None, 0.0), ("untrained", SPEC, 0.0), ("trained", SPEC, 3.0))
    return {name: Bundle.load(write_bundle(folder / name / "one", request.param, residual=spec, gain=gain)) for name, spec, gain in made}


def chunk_of(bundle):
    rng, (steps, channels) = np.random.default_rng(2), bundle.card.sample_shape
    data = 0.1 * rng.standard_normal((steps, channels))
    if bundle.card.kind is ChunkKind.ACTION:
        data[:, 3:9] = [rot6d(rotation_matrix(0.1 * rng.standard_normal(3))) for _ in range(steps)]
    return ActionChunk(1.0, bundle.card.kind, bundle.card.row_dt_s, data.astype(np.float32), T_START, 1, bundle.card.id)


@given(now=st.floats(1.0, 1.9))
@settings(max_examples=25, deadline=None)
def test_an_untrained_residual_proposes_what_the_base_does_to_the_bit(bundles, robot, states, now):
    alone, wrapped = (make_fast_policy(bundles[name], robot).act(chunk_of(bundles[name]), states, now) for name in ("base", "untrained"))
    assert alone.target.T_base_tcp.tobytes() == wrapped.target.T_base_tcp.tobytes()
    np.testing.assert_array_equal(alone.target.hand_rad, wrapped.target.hand_rad)
    assert (alone.stamp_s, alone.source, alone.chunk_sequence) == (wrapped.stamp_s, wrapped.source, wrapped.chunk_sequence)


@given(now=st.floats(1.0, 1.9))
@settings(max_examples=25, deadline=None)
def test_a_trained_one_stays_within_its_limits_and_is_decided_on_a_grid(bundles, robot, states, now):
    base, residual = (make_fast_policy(bundles[name], robot) for name in ("base", "trained"))
    chunk = chunk_of(bundles["trained"])
    off = twist(base.act(chunk, states, now).target.T_base_tcp, residual.act(chunk, states, now).target.T_base_tcp)
    assert np.abs(off[:3]).max() <= SPEC.limit_m + 1e-12
    assert np.abs(off[3:]).max() <= SPEC.limit_rad + 1e-9
    assert np.abs(off).max() > 0.0
    began = decided_s(chunk, now, SPEC.dt_s)
    held = twist(base.act(chunk, states, began).target.T_base_tcp, residual.act(chunk, states, began).target.T_base_tcp)
    np.testing.assert_allclose(off, held, atol=1e-9)


@given(T=poses, share=st.lists(st.floats(-5.0, 5.0), min_size=6, max_size=6).map(np.array), axes=st.sampled_from(AXES))
def test_a_correction_is_bounded_in_the_tools_frame_whatever_the_network_says(T, share, axes):
    proposal = Proposal(1.0, "policy", Target(T, None))
    off = twist(T, corrected(proposal, share, replace(SPEC, axes=axes)).target.T_base_tcp)
    wanted = np.clip(share, -1.0, 1.0) * np.repeat([SPEC.limit_m, SPEC.limit_rad], 3)
    if axes == "z":
        wanted[[0, 1, 3, 4, 5]] = 0.0
    np.testing.assert_allclose(off, wanted, atol=1e-9)
    np.testing.assert_array_equal(proposal.target.T_base_tcp, T)


@given(T_tcp=poses, T_target=poses)
def test_the_twist_leads_from_the_tcp_to_the_target(T_tcp, T_target):
    to = twist(T_tcp, T_target)
    np.testing.assert_allclose(T_tcp[:3, 3] + T_tcp[:3, :3] @ to[:3], T_target[:3, 3], atol=1e-9)
    assert np.linalg.norm(rotation_vector((T_tcp[:3, :3] @ rotation_matrix(to[3:])).T @ T_target[:3, :3])) < 1e-6


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_correction_that_is_not_finite_is_no_proposal(value):
    with pytest.raises(DataError, match="NaN or infinity"):
        corrected(Proposal(1.0, "policy", Target(T_START, None)), np.array([0.0, 0.0, value, 0.0, 0.0, 0.0]), SPEC)


def test_without_the_history_that_a_decision_needs_nothing_is_proposed(bundles, robot, states):
    late = StateArrays(**{field.name: getattr(states, field.name)[190:] for field in fields(states)})
    with pytest.raises(StaleError, match="no robot state"):
        make_fast_policy(bundles["untrained"], robot).act(chunk_of(bundles["untrained"]), late, 1.0)
    assert observation(states, Target(T_START, None), 1.0, LOW_DIM).shape == (82,)


def test_a_card_with_a_residual_survives_writing_and_one_without_says_nothing_of_it(tmp_path):
    with_one, without = (
        write_bundle(tmp_path / name, ChunkKind.ACTION, residual=spec) for name, spec in (("with", SPEC), ("without", None))
    )
    assert load_card(with_one / "card.yaml").residual == SPEC
    assert "residual" not in yaml.safe_load((without / "card.yaml").read_text())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda card: card.pop("residual"), "graphs are"),
        (lambda card: card["graphs"].pop("residual"), "graphs are"),
        (lambda card: card["residual"].update(limit_m=1.0), "at most 0.05"),
        (lambda card: card["residual"].update(axes="x"), "one of all, z"),
        (lambda card: card["residual"].update(dt_s=math.nan), "at least"),
        (lambda card: card["residual"].update(limits=1.0), "unknown parameter 'limits'"),
        (lambda card: card.update(residual=[0.05]), "residual: expected a mapping"),
    ],
)
def test_a_card_that_lies_about_its_residual_is_refused(tmp_path, change, says):
    folder = write_bundle(tmp_path / "one", ChunkKind.ACTION, residual=SPEC)
    card = yaml.safe_load((folder / "card.yaml").read_text())
    change(card)
    (folder / "card.yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(BundleError, match=says):
        load_card(folder / "card.yaml")


def test_only_a_pose_that_the_bundle_itself_makes_is_corrected(tmp_path):
    joints = (CommandedSpec("arm", "arm_position"), CommandedSpec("hand", "press"))
    with pytest.raises(BundleError, match="none of tcp_pose"):
        write_bundle(tmp_path / "joints", ChunkKind.ACTION, residual=SPEC, action=joints)
    card = load_card(write_bundle(tmp_path / "one", ChunkKind.ACTION, residual=SPEC) / "card.yaml")
    with pytest.raises(BundleError, match="or a server generates"):
        replace(card, generator=RemoteSpec(url="ws://a:1"), normaliser=None, graphs={}).check("card")
