import dataclasses

import numpy as np
import pytest
from conftest import LOW_DIM, make_state
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.errors import DataError, StaleError
from tactus_core.freshness import CLOCK_STEP_S
from tactus_core.geometry import from_rot6d, inverse, rigid, rot6d, rotation_matrix, rotation_vector, rotation_vectors
from tactus_core.history import Recollection, StateArrays, StateHistory
from tactus_core.policy.observation import low_dim, window
from tactus_core.policy.signals import FELT, felt_parts
from tactus_core.types import RobotState

START_S = 1.7e9  # stamps as a robot's clock gives them: float64 seconds since 1970


def moving(i):
    T = rigid(np.array([0.5 + 0.01 * i, -0.002 * i, 0.3]), rotation_matrix(np.array([0.01 * i, -0.02, 0.003 * i])))
    return RobotState(START_S + 0.005 * i, T, np.arange(6.0) + i, np.arange(4.0) + 100 * i, np.zeros(16))


def moved(count, capacity=1024):
    history = StateHistory(capacity)
    for i in range(count):
        history.append(moving(i))
    return history


@given(count=st.integers(0, 40), capacity=st.integers(1, 17))
def test_history_keeps_the_newest_in_order(count, capacity):
    view = moved(count, capacity).view()
    kept = range(max(0, count - capacity), count)
    np.testing.assert_array_equal(view.stamp_s, [moving(i).stamp_s for i in kept])
    for row, i in enumerate(kept):
        np.testing.assert_array_equal(view.position_m[row], moving(i).T_base_tcp[:3, 3])
        np.testing.assert_array_equal(view.rotation[row], moving(i).T_base_tcp[:3, :3])
        np.testing.assert_array_equal(view.wrench_tcp[row], moving(i).wrench_tcp)
        np.testing.assert_array_equal(view.fingertip_force_N[row], moving(i).fingertip_force_N)


@pytest.mark.parametrize(
    "bad",
    [
        make_state(1.0),
        make_state(np.nan),
        make_state(np.inf),
        make_state(2.0, np.full((4, 4), np.nan)),
        dataclasses.replace(make_state(2.0), fingertip_force_N=np.zeros(5)),
    ],
    ids=["the same again", "no stamp", "endless stamp", "no pose", "five fingers"],
)
def test_history_refuses_what_is_a_repetition_or_no_state(bad):
    history = StateHistory(8)
    history.append(make_state(1.0))
    with pytest.raises(DataError):
        history.append(bad)
    assert history.view().stamp_s.tolist() == [1.0]


@given(
    gaps=st.lists(st.one_of(st.floats(0.001, 0.02), st.sampled_from([3600.0, -3600.0, -0.004, 1.5])), max_size=80),
    capacity=st.integers(1, 40),
)
def test_history_holds_one_time_and_hears_the_next_at_once(gaps, capacity):
    history, stamp_s, last_s, span = StateHistory(capacity), START_S, None, []
    for gap_s in gaps:
        stamp_s += gap_s
        jumped = last_s is None or not 0.0 < stamp_s - last_s <= CLOCK_STEP_S
        assert history.append(make_state(stamp_s)) == jumped
        span, last_s = ([] if jumped else span) + [stamp_s], stamp_s
        view = history.view()
        assert view.stamp_s.tolist() == span[-capacity:]
        assert (np.diff(view.stamp_s) > 0).all()


@given(
    gaps=st.lists(st.one_of(st.floats(0.001, 0.02), st.sampled_from([3600.0, -3600.0, -0.004, 1.5])), max_size=80),
    wanted=st.lists(st.floats(-0.5, 2.0), max_size=5),
    capacity=st.integers(1, 40),
)
def test_recollection_holds_what_the_history_holds_and_finds_the_newest_at_a_time(gaps, wanted, capacity):
    history, recollection, stamp_s = StateHistory(capacity), Recollection(capacity), START_S
    for gap_s in gaps:
        stamp_s += gap_s
        assert recollection.append(stamp_s, [stamp_s]) == history.append(make_state(stamp_s))
    held = history.view().stamp_s
    asked_s = stamp_s - np.array(wanted)
    expected = {held[held <= at_s + 1e-6][-1] for at_s in asked_s if (held <= at_s + 1e-6).any()}
    assert recollection.newest_at(asked_s) == [[at_s] for at_s in sorted(expected)]


@pytest.mark.parametrize("stamp_s", [1.0, np.nan, np.inf], ids=["the same again", "no stamp", "endless stamp"])
def test_recollection_refuses_what_the_history_refuses(stamp_s):
    recollection = Recollection()
    recollection.append(1.0, "first")
    with pytest.raises(DataError):
        recollection.append(stamp_s, "second")
    assert recollection.newest_at([2.0]) == ["first"]


def test_states_of_two_times_are_not_stacked():
    with pytest.raises(DataError, match="one episode"):
        StateArrays.of([make_state(1.0), make_state(1.005), make_state(0.5)])


def test_history_starts_anew_after_clear():
    history = moved(5)
    history.clear()
    history.append(make_state(0.0))
    assert history.view().stamp_s.tolist() == [0.0]


@given(vectors=st.lists(st.tuples(*[st.floats(-1.7, 1.7)] * 3), max_size=6))
def test_vectorised_rotation_vectors_agree_with_one_by_one(vectors):
    R = np.array([rotation_matrix(np.array(v)) for v in vectors]).reshape(-1, 3, 3)
    np.testing.assert_allclose(rotation_vectors(R), np.array([rotation_vector(r) for r in R]).reshape(-1, 3), atol=1e-9)


def test_low_dim_is_laid_out_as_documented():
    states = moved(100).view()
    got = low_dim(states, moving(90).stamp_s, LOW_DIM)
    now, past = moving(90), [moving(i) for i in (70, 50, 30)]
    expected = [now.T_base_tcp[:3, 3], rot6d(now.T_base_tcp[:3, :3])]
    for state in past:
        T = inverse(now.T_base_tcp) @ state.T_base_tcp
        expected += [T[:3, 3], rot6d(T[:3, :3])]
    expected += [s.wrench_tcp for s in (now, *past)] + [s.fingertip_force_N for s in (now, *past)]
    np.testing.assert_allclose(got, np.concatenate(expected), atol=1e-12)
    # States after the observation are not looked at.
    np.testing.assert_array_equal(got, low_dim(moved(91).view(), moving(90).stamp_s, LOW_DIM))


# The poses in `low_dim` of the moving robot, as they were computed before cards said what is observed.
FROZEN_POSES = (
    1.4, -0.18, 0.3, 0.9659695554608682, 0.22361379633170905, 0.1299988000438995, -0.24032724794710805, 0.5901025991323394,
    0.7707280560557186, -0.184249359238905, 0.07166955355471512, -0.05015624301441091, 0.9983176897482665, -0.05774297814908978,
    0.005247743339564553, 0.057630658458065684, 0.9782799546251524, -0.1991156387235813, -0.36849871847781046, 0.14333910710943035,
    -0.1003124860288219, 0.9933511495300801, -0.11300361507117267, 0.021992651229781512, 0.11261005674894124, 0.9140632358330186,
    -0.3896246604329245, -0.5527480777167156, 0.2150086606641455, -0.15046872904323286, 0.9853270236540463, -0.16334594529295826,
    0.04948493319595772, 0.16259052348557212, 0.810139322579881, -0.5632393804436081,
)  # fmt: skip


def test_the_shipped_policies_observe_what_they_were_trained_on():
    got = low_dim(moved(100).view(), moving(90).stamp_s, LOW_DIM)
    np.testing.assert_allclose(got[:36], FROZEN_POSES, rtol=0.0, atol=1e-15)
    felt = [moving(i) for i in (90, 70, 50, 30)]
    np.testing.assert_array_equal(got[36:], np.concatenate([s.wrench_tcp for s in felt] + [s.fingertip_force_N for s in felt]))


@pytest.mark.parametrize("count", [0, 1, 60])
def test_low_dim_refuses_a_history_that_does_not_reach_back(count):
    with pytest.raises(StaleError, match="state"):
        low_dim(moved(count).view(), START_S + 0.005 * 59, LOW_DIM)


def test_low_dim_refuses_a_gap():
    states = [moving(i) for i in range(100) if not 60 <= i < 72]
    with pytest.raises(StaleError, match=r"0\.1 s"):
        low_dim(StateArrays.of(states), moving(90).stamp_s, LOW_DIM)


def test_window_rows_lie_on_the_grid_back_from_now():
    states, anchor = moved(200).view(), moving(40)
    got = window(states, anchor.stamp_s, anchor.T_base_tcp, moving(63).stamp_s, 0.02)
    picked = [moving(i) for i in (43, 47, 51, 55, 59, 63)]
    assert got.shape == (6, 14)
    for row, state in zip(got, picked, strict=True):
        T = inverse(anchor.T_base_tcp) @ state.T_base_tcp
        turn = rotation_vector(T[:3, :3])
        expected = [[state.stamp_s - anchor.stamp_s], state.wrench_tcp, state.fingertip_force_N, [T[2, 3], turn[0], turn[1]]]
        np.testing.assert_allclose(row, np.concatenate(expected), atol=1e-9)


def test_window_reaches_the_observation_itself_and_no_further():
    states, anchor = moved(200).view(), moving(40)
    got = window(states, anchor.stamp_s, anchor.T_base_tcp, moving(48).stamp_s, 0.02)
    np.testing.assert_allclose(got[:, 0], [0.0, 0.02, 0.04], atol=1e-6)
    assert window(states, anchor.stamp_s, anchor.T_base_tcp, anchor.stamp_s, 0.02).shape == (1, 14)


@given(gaps=st.lists(st.floats(1e-4, 0.05), min_size=1, max_size=60), since=st.floats(0, 1), until=st.floats(0, 1))
@settings(deadline=None)
def test_window_uses_only_what_lies_between_the_observation_and_now(gaps, since, until):
    stamps = np.cumsum(gaps)
    states = StateArrays.of([make_state(t, force_N=t) for t in stamps])
    since, until = sorted((since * stamps[-1], until * stamps[-1]))
    inside = stamps[(stamps >= since - 1e-6) & (stamps <= until + 1e-6)]
    if not len(inside):
        with pytest.raises(StaleError):
            window(states, since, np.eye(4), until, 0.02)
        return
    got = window(states, since, np.eye(4), until, 0.02)
    used = got[:, 0] + since
    assert np.isfinite(got).all()
    assert np.abs(used[:, None] - inside).min(axis=1).max() < 1e-9
    assert used[-1] == pytest.approx(inside[-1])
    assert (np.diff(used) >= 0).all()
    np.testing.assert_allclose(-got[:, 3], used, atol=1e-9)


WALK = moved(200).view()


@given(
    signals=st.permutations(FELT).flatmap(lambda of: st.integers(1, len(of)).map(lambda n: of[:n])),
    steps=st.integers(0, 20),
    before=st.integers(0, 5),
)
@settings(deadline=None)
def test_a_card_chooses_what_a_row_of_the_window_holds_and_since_when(signals, steps, before):
    states, anchor, dt_s = WALK, moving(60), 0.04
    now_s = anchor.stamp_s + steps * dt_s + 0.003
    got = window(states, anchor.stamp_s, anchor.T_base_tcp, now_s, dt_s, signals, before * dt_s)
    whole = window(states, anchor.stamp_s - before * dt_s, anchor.T_base_tcp, now_s, dt_s)
    whole[:, 0] -= before * dt_s
    assert len(got) == steps + before + 1
    np.testing.assert_allclose(got, np.concatenate([whole[:, felt_parts(FELT)[of]] for of in signals], axis=1), atol=1e-6)


@given(values=st.lists(st.floats(-2, 2), min_size=6, max_size=6).map(np.array))
def test_six_numbers_make_the_nearest_rotation_or_none(values):
    try:
        R = from_rot6d(values)
    except DataError:
        assert np.linalg.norm(np.cross(values[:3], values[3:])) <= 1e-6
        return
    np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(R) > 0
    np.testing.assert_allclose(np.cross(R[:, 0], values[:3]), 0, atol=1e-9)
    assert R[:, 1] @ values[3:] > 0
    np.testing.assert_allclose(R[:, 2] @ values[3:], 0, atol=1e-9)
