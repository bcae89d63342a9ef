"""What a residual tries is a function of who decides and when, no more than its limits, and of the size that its card says."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from conftest import make_state, write_bundle
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.errors import DataError
from tactus_core.history import StateArrays
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import load_card
from tactus_core.policy.exploring import STRETCH_S, explored, explores, noise_of, wandering
from tactus_core.policy.fast import make_base, make_fast_policy
from tactus_core.policy.residual import decided, twist
from tactus_core.policy.specs import ExplorationSpec, ResidualSpec
from tactus_core.types import ActionChunk, ChunkKind

DT_S = 0.05
WILD = ExplorationSpec(noise=1.0, noise_time_s=0.2)
SPEC = ResidualSpec(dt_s=DT_S, limit_m=0.008, limit_rad=0.05, exploration=WILD)
specs = st.builds(ExplorationSpec, noise=st.floats(0.0, 1.0), noise_time_s=st.sampled_from([0.0, 0.02, 0.2, 1.0]))
hashes = st.sampled_from(["", "0a", "ff" * 32])
stamps = st.floats(0.0, 2e9)


def noise(count, spec=WILD, bundle_hash="ab", first_s=1.7e9):
    """Return the noise on so many decisions one after the other (count, 6)."""
    return np.array([explored(spec, DT_S, bundle_hash, first_s + DT_S * row) for row in range(count)])


@given(spec=specs, bundle_hash=hashes, at_s=stamps)
@settings(max_examples=50, deadline=None)
def test_the_same_is_tried_by_the_same_at_the_same_time_whatever_was_asked_before(spec, bundle_hash, at_s):
    first = explored(spec, DT_S, bundle_hash, at_s).copy()
    for other_s in (0.0, 1e3, 1e6, 1e9, 2e9):  # more stretches than are kept
        explored(spec, DT_S, bundle_hash, other_s)
    assert explored(spec, DT_S, bundle_hash, at_s).tobytes() == first.tobytes()
    assert first.shape == (6,)
    assert np.isfinite(first).all()
    assert first.any() == (spec.noise > 0.0)
    assert (explored(spec, DT_S, "cd", at_s) != first).any() == (spec.noise > 0.0)


def test_what_is_handed_out_cannot_be_altered():
    with pytest.raises(ValueError, match="read-only"):
        explored(WILD, DT_S, "", 1.0)[0] = 0.0


@given(noise_time_s=st.sampled_from([0.0, 0.1, 0.4]), size=st.floats(0.1, 1.0))
@settings(max_examples=6, deadline=None)
def test_it_has_its_size_from_the_start_and_is_forgotten_in_its_time(noise_time_s, size):
    rows = np.array(list(itertools.islice(wandering(np.random.default_rng(0), size, DT_S, noise_time_s), 20_000)))
    decay = np.exp(-DT_S / noise_time_s) if noise_time_s else 0.0
    np.testing.assert_allclose(rows.std(axis=0), size, rtol=0.1)
    np.testing.assert_allclose(rows.mean(axis=0), 0.0, atol=0.12 * size)
    for lag in (1, 3):
        got = (rows[lag:] * rows[:-lag]).mean() / size**2
        assert got == pytest.approx(decay**lag, abs=0.05)
    firsts = np.array([next(wandering(np.random.default_rng(seed), size, DT_S, noise_time_s)) for seed in range(400)])
    assert firsts.std() == pytest.approx(size, rel=0.1)


def test_its_size_is_another_in_each_stretch_from_next_to_none_to_all():
    per = round(STRETCH_S / DT_S)
    sizes = noise(60 * per).reshape(60, per, 6).std(axis=(1, 2))
    assert sizes.min() < 0.15
    assert 0.7 < sizes.max() < 1.2
    assert np.median(sizes) == pytest.approx(0.5, abs=0.2)


@pytest.fixture(scope="module")
def states():
    return StateArrays.of([make_state(0.005 * i, np.eye(4), 5.0) for i in range(400)])


@pytest.fixture(scope="module", params=list(ChunkKind))
def bundle(request, tmp_path_factory):
    """A policy whose residual has learnt something, and explores."""
    return Bundle.load(write_bundle(tmp_path_factory.mktemp("exploring") / "one", request.param, residual=SPEC, gain=3.0))


def plan(bundle, stamp_s=1.0):
    card = bundle.card
    data = np.zeros(card.sample_shape, np.float32)
    if card.kind is ChunkKind.ACTION:
        data[:, [3, 7]] = 1.0  # upright
    return ActionChunk(stamp_s, card.kind, card.row_dt_s, data, np.eye(4), 1, card.id)


@given(now=st.floats(1.0, 1.9))
@settings(max_examples=25, deadline=None)
def test_a_policy_that_explores_is_pure_and_stays_within_the_limits(bundle, robot, states, now):
    base, policy, again = make_base(bundle, robot), make_fast_policy(bundle, robot), make_fast_policy(bundle, robot)
    proposal = policy.act(plan(bundle), states, now)
    policy.act(plan(bundle), states, 1.0)
    assert proposal.target.T_base_tcp.tobytes() == again.act(plan(bundle), states, now).target.T_base_tcp.tobytes()
    off = twist(base.act(plan(bundle), states, now).target.T_base_tcp, proposal.target.T_base_tcp)
    assert np.abs(off[:3]).max() <= SPEC.limit_m + 1e-12
    assert np.abs(off[3:]).max() <= SPEC.limit_rad + 1e-9


@given(now=st.floats(1.0, 1.9))
@settings(max_examples=10, deadline=None)
def test_without_noise_it_does_to_the_bit_what_one_does_that_does_not_explore(bundle, robot, states, now):
    def proposed(exploration):
        card = replace(bundle.card, residual=replace(SPEC, exploration=exploration))
        return make_fast_policy(replace(bundle, card=card), robot).act(plan(bundle), states, now).target.T_base_tcp

    quiet = proposed(None)
    assert proposed(replace(WILD, noise=0.0)).tobytes() == quiet.tobytes()
    assert proposed(WILD).tobytes() != quiet.tobytes()


def test_a_network_that_says_infinity_is_not_taken_for_one_at_its_limit(bundle, robot, states):
    class Broken:
        def run(self, **inputs):
            return np.full((1, 6), np.inf, np.float32)

    broken = replace(bundle, engines={**bundle.engines, "residual": Broken()})
    with pytest.raises(DataError, match="NaN or infinity"):
        make_fast_policy(broken, robot).act(plan(bundle), states, 1.5)


def test_a_card_says_what_is_tried_and_one_that_says_nothing_of_it_tries_nothing(tmp_path):
    wild, quiet = (
        write_bundle(tmp_path / name, ChunkKind.ACTION, residual=replace(SPEC, exploration=of)) for name, of in (("w", WILD), ("q", None))
    )
    cards = [load_card(folder / "card.yaml") for folder in (wild, quiet)]
    assert [card.residual for card in cards] == [SPEC, replace(SPEC, exploration=None)]
    assert [explores(card) for card in cards] == [True, False]
    assert [noise_of(card) for card in (*cards, load_card(write_bundle(tmp_path / "base", ChunkKind.ACTION) / "card.yaml"))] == [
        1.0,
        0.0,
        0.0,
    ]
    text = (quiet / "card.yaml").read_text()
    (quiet / "card.yaml").write_text(text.replace("  exploration: null\n", ""))
    assert load_card(quiet / "card.yaml") == cards[1]
    observed = np.zeros(cards[0].low_dim_size + 6)
    assert (decided(Bundle.load(wild), SPEC, observed, 1.0) != decided(Bundle.load(quiet), cards[1].residual, observed, 1.0)).all()
