"""A scripted operator takes over as a person would, late and by the guard, and leaves no trace in episodes that it leaves alone."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.guard.types import GuardState
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.specs import ResidualSpec
from tactus_core.ports import Advice
from tactus_sim.insert import TASK
from tactus_sim.lockstep import Lockstep
from tactus_sim.person import Person, PersonConfig, Seen
from tactus_sim.practice import LockstepPractice
from tactus_sim.seat import MOTION, Seat

DT_S = 0.005


def seen(at_s, x_m=0.0, done=0.0, well=False, alarm=False):
    T = np.eye(4)
    T[0, 3] = x_m
    return Seen(at_s, np.eye(4), Advice(T, done, well, alarm), 0.0)


def watched(person, seconds, begin_s=0.0, **what):
    """Let a person watch the same for a while; return what the puck said."""
    times = begin_s + DT_S * np.arange(round(seconds / DT_S))
    return np.array([person.axes(seen(float(at_s), **what)) for at_s in times])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.floats(-0.05, 0.05).filter(lambda x: abs(x) > 0.01))
def test_it_waits_then_pushes_where_it_should_go(seed, x_m):
    config = PersonConfig()
    person = Person(config, MOTION)
    person.begin(seed)
    said = watched(person, 4.0, x_m=x_m)
    assert np.abs(said).max() <= 1.0
    first = int(np.flatnonzero(np.abs(said).max(axis=1) > 0.0)[0]) * DT_S
    assert 0.7 * config.patience_s <= first <= 1.3 * config.patience_s + config.reaction_s + 0.1
    pushed = said[round(first / DT_S) + 100 :]
    assert np.sign(np.median(pushed[:, 0])) == np.sign(x_m)
    assert np.abs(said[round(first / DT_S) : round(first / DT_S) + 30]).max() > MOTION.push, "it means to take control"


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_its_hand_comes_to_rest_where_it_should(seed):
    person, x_m, target_m = Person(PersonConfig(patience_s=0.1, longest_s=60.0, wiggle_m_s=0.0), MOTION), 0.0, 0.0
    person.begin(seed)
    left_m = []
    for tick in range(800):
        axis = person.axes(seen(DT_S * tick, x_m=0.03 - x_m))[0]
        worth = np.sign(axis) * (max(abs(axis) - MOTION.dead_band, 0.0) / (1 - MOTION.dead_band)) ** MOTION.curve
        target_m += worth * MOTION.speed_m_s * DT_S
        x_m += DT_S / 0.1 * (target_m - x_m)  # an arm with a lag of its own
        left_m.append(abs(0.03 - x_m))
    assert max(left_m[600:]) < 0.0015


def test_it_lets_go_when_all_is_well_and_leaves_alone_what_goes_on():
    person = Person(PersonConfig(), MOTION)
    person.begin(3)
    assert watched(person, 3.0, x_m=0.02)[-1].any()
    assert watched(person, 0.4, begin_s=3.0, x_m=0.02, well=True)[-1].any(), "no better than it was"
    assert not watched(person, 1.0, begin_s=3.4, x_m=0.02, done=0.1, well=True)[-1].any()
    person.begin(4)
    for tick in range(1200):
        assert not person.axes(seen(DT_S * tick, x_m=0.02, done=0.1 * DT_S * tick)).any()
    assert watched(person, 0.6, begin_s=6.0, x_m=0.02, done=0.7, alarm=True)[-1].any(), "a hard blow is no progress"


@pytest.fixture(scope="module")
def bundle():
    return Bundle.load("insert-base")


def test_lockstep_has_a_second_source_and_a_policy_that_plans_anew(bundle):
    seat = Seat(TASK.make_expert(), PersonConfig(patience_s=0.6, progress=0.5, longest_s=0.6))
    moments = []
    practice = LockstepPractice(TASK, bundle, ResidualSpec(0.05, 0.008, 0.05), (seat,), moments.append)
    ticks = practice._lockstep.ticks
    practice._lockstep.ticks = lambda seed: itertools.islice(ticks(seed), 480)
    lived = practice.episode(100_003, lambda _: np.zeros(6)).transitions
    has = np.array([moment.verdict.control.intervention for moment in moments])
    taken = int(np.argmax(has))
    back = taken + int(np.argmin(has[taken:]))
    assert lived.interventions == sum(moment.verdict.control.onset for moment in moments) >= 1
    assert lived.intervened.any()
    assert not lived.intervened.all()
    for moment in moments[taken:back]:
        assert moment.proposal is not None, "the policy goes on, for the record"
    after = [moment for moment in moments[back:] if moment.verdict.source == "policy"]
    assert after, "the policy has the robot again"
    plans = [{moment.proposal.chunk_sequence for moment in part} for part in (moments[taken:back], after)]
    assert not plans[0] & plans[1]
    assert after[-1].verdict.state is GuardState.RUNNING
    row = int(np.flatnonzero(lived.onset)[0])
    assert np.abs(lived.executed[row] - lived.observed[row, -6:]).max() > 1e-4


def test_a_person_who_sits_by_leaves_no_trace(bundle):
    patient = Seat(TASK.make_expert(), PersonConfig(patience_s=60.0))
    alone, watched_over = (
        [m.verdict for m in itertools.islice(Lockstep(TASK, bundle, others=others).ticks(7), 150)] for others in ((), (patient,))
    )
    for one, other in zip(alone, watched_over, strict=True):
        np.testing.assert_array_equal(one.executed.T_base_tcp, other.executed.T_base_tcp)
        assert one.reasons == other.reasons
