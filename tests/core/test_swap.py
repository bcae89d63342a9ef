"""Other weights act only where the contract is the same, and what they would have done is near enough."""

from dataclasses import fields, replace

import numpy as np
import pytest
from conftest import make_state, write_bundle
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_cli.swapping.versions import finer, write_bad, write_version
from tactus_core.errors import BundleError, StaleError
from tactus_core.geometry import rigid, rotation_matrix
from tactus_core.history import StateArrays
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import load_card
from tactus_core.policy.specs import ExplorationSpec, ResidualSpec
from tactus_core.policy.swap import (
    Difference,
    Moment,
    SwapLimits,
    compare,
    difference,
    examine,
    require_agreement,
    require_whole,
    targets,
)
from tactus_core.types import ChunkKind, Target

LIMITS = SwapLimits(observations=2)
ACTS_S = (1.05, 1.25, 1.5)
RESIDUAL = ResidualSpec(dt_s=0.05, limit_m=0.008, limit_rad=0.05)
TRIED = replace(RESIDUAL, exploration=ExplorationSpec(noise=1.0, noise_time_s=0.2))


@pytest.fixture(scope="module")
def moments():
    """Two moments of one motion."""

    def moment(level):
        turns = (rotation_matrix(np.array([0.0, 0.0, 0.001 * i])) for i in range(320))
        states = [make_state(0.005 * i, rigid(np.array([0.5, 0.1, 0.2 + 1e-4 * i]), R), level) for i, R in enumerate(turns)]
        return Moment({"wrist": np.full((1, 96, 96, 3), 10 * level, np.uint8)}, StateArrays.of(states), 1.0, ACTS_S)

    return [moment(2), moment(5)]


@pytest.fixture(scope="module", params=list(ChunkKind))
def folder(request, tmp_path_factory):
    return write_bundle(tmp_path_factory.mktemp("running") / "tiny", request.param)


@pytest.fixture(scope="module")
def running(folder):
    return Bundle.load(folder)


@pytest.fixture(scope="module")
def with_one(running, tmp_path_factory):
    """Return the running policy with a residual on it that explores."""
    return Bundle.load(write_bundle(tmp_path_factory.mktemp("corrected") / "tiny", running.card.kind, residual=TRIED))


def shifted(folder, tmp_path_factory, metres):
    """Write a version whose targets all lie so far along x from the running one's."""

    def shift(values):
        values["action"]["offset"][0] += metres

    return write_version(folder, tmp_path_factory.mktemp("offered") / "tiny", "2", normaliser=shift)


def test_weights_that_are_next_to_the_same_may_act(folder, running, robot, moments, tmp_path):
    close = write_version(folder, tmp_path / "close", "2", weights=finer(np.random.default_rng(0)))
    offered, found, count = examine(close, running, robot, moments, LIMITS)
    assert (offered.card.id, count) == ("tiny@2", 2)
    assert found.position_m < 1e-3
    assert not found.over(LIMITS)


@given(metres=st.floats(-0.06, 0.06))
@settings(max_examples=8, deadline=None)
def test_weights_are_refused_exactly_where_they_are_too_far(folder, running, robot, moments, tmp_path_factory, metres):
    offered = Bundle.load(shifted(folder, tmp_path_factory, metres))
    if abs(abs(metres) - LIMITS.max_position_m) < 1e-6:
        return
    if abs(metres) > LIMITS.max_position_m:
        with pytest.raises(BundleError, match="too far"):
            compare(running, offered, robot, moments, LIMITS)
    else:
        found, _ = compare(running, offered, robot, moments, LIMITS)
        assert found.position_m == pytest.approx(abs(metres), abs=1e-6)


def test_every_bad_bundle_is_refused_with_what_is_wrong(folder, running, robot, moments, tmp_path):
    said = {}
    for wrong, bad in write_bad(folder, tmp_path).items():
        with pytest.raises(BundleError) as refusal:
            examine(bad, running, robot, moments, LIMITS)
        said[wrong] = str(refusal.value)
    assert "NaN" in said["NaN"] or "not finite" in said["NaN"]
    assert "position_m" in said["too far"]
    assert "replan_s" in said["another contract"]
    assert "the card says" in said["wrong shape"]
    assert "sha256" in said["altered"]
    assert "same version" in said["the same version"]


def with_a_hole(moment, at_s, gap_s):
    states = moment.states
    kept = ~((states.stamp_s > at_s) & (states.stamp_s < at_s + gap_s))
    return replace(moment, states=StateArrays(*(getattr(states, f.name)[kept] for f in fields(states))))


@given(gap_s=st.floats(0.0, 0.2), at_s=st.floats(0.65, 1.45))
@settings(max_examples=25, deadline=None)
def test_a_moment_is_whole_where_the_running_policy_can_act_on_it(running, robot, moments, gap_s, at_s):
    moment = with_a_hole(moments[0], at_s, gap_s)
    try:
        require_whole(moment, running.card)
    except StaleError:
        return
    assert len(targets(running, robot, moment, 0)) == len(ACTS_S)


def test_what_a_residual_cannot_look_back_on_is_no_word_against_it(with_one, running, robot, moments):
    torn = with_a_hole(moments[0], 0.921, 0.035)
    require_whole(torn, running.card)
    with pytest.raises(StaleError, match=r"can be compared on 1 of 3 observations .* no robot state within"):
        compare(running, with_one, robot, [torn, moments[0], torn], LIMITS)
    found, count = compare(running, with_one, robot, [moments[0], torn, moments[1], torn], LIMITS)
    assert count == LIMITS.observations
    assert 0.0 < found.position_m <= RESIDUAL.limit_m * np.sqrt(3.0) + 1e-12


def test_without_enough_observations_nothing_is_compared(running, robot, moments):
    with pytest.raises(StaleError, match="1 of 1 observations of this robot, and 2 are needed"):
        compare(running, running, robot, moments[:1], LIMITS)


CHANGES = {
    "name": "other",
    "task": "other",
    "robot": "other",
    "licence": "MIT",
    "replan_s": 0.4,
    "validity_s": 1.1,
    "kind": ChunkKind.ACTION,
}


@given(parts=st.sets(st.sampled_from([*CHANGES, "training", "version"])))
@settings(max_examples=20, deadline=None)
def test_a_card_may_differ_in_what_training_makes_and_in_nothing_else(folder, parts):
    running = load_card(folder / "card.yaml")
    offered = replace(running, **{"version": "2", "training": {"new": 1}} | {part: CHANGES[part] for part in parts & CHANGES.keys()})
    wrong = {part for part in parts & CHANGES.keys() if getattr(running, part) != CHANGES[part]}
    if not wrong:
        require_agreement(running, offered)
        return
    with pytest.raises(BundleError) as refusal:
        require_agreement(running, offered)
    assert all(f"{part} is" in str(refusal.value) for part in wrong)


@pytest.mark.parametrize(
    ("running", "offered", "agree"),
    [
        (None, TRIED, True),
        (TRIED, None, True),
        (RESIDUAL, TRIED, True),
        (TRIED, RESIDUAL, True),
        (RESIDUAL, replace(RESIDUAL, limit_m=0.01), False),
        (replace(TRIED, dt_s=0.1), TRIED, False),
    ],
)
def test_a_base_may_get_a_residual_whose_limits_then_stay_and_which_may_try_things_or_not(folder, running, offered, agree):
    card = load_card(folder / "card.yaml")
    before, after = replace(card, residual=running), replace(card, residual=offered, version="2")
    if agree:
        require_agreement(before, after)
        return
    with pytest.raises(BundleError, match="residual is"):
        require_agreement(before, after)


vectors = st.lists(st.floats(-1.0, 1.0), min_size=3, max_size=3).map(np.array)
all_targets = st.builds(
    lambda at, turn, hand: Target(rigid(at, rotation_matrix(turn)), np.full(16, hand)), vectors, vectors, st.floats(-1.0, 1.0)
)


@given(one=all_targets, other=all_targets)
@settings(max_examples=25)
def test_a_difference_is_the_same_seen_from_either_side_and_nothing_from_itself(one, other):
    there, back = difference(one, other), difference(other, one)
    assert np.allclose([there.position_m, there.rotation_rad, there.joint_rad], [back.position_m, back.rotation_rad, back.joint_rad])
    assert difference(one, one).over(SwapLimits(max_position_m=0.0, max_rotation_rad=1e-7, max_joint_rad=0.0)) == []


def test_a_difference_that_is_no_number_is_over_the_limit():
    assert len(Difference(np.nan, np.nan, np.nan).over(LIMITS)) == 3
