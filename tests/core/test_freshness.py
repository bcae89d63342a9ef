"""Freshness is judged by arrivals on the receiver's steady clock, by rules that hold for every sequence of them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactus_core.errors import ConfigError
from tactus_core.freshness import Stream

ages = st.floats(0.001, 10.0)
gaps = st.lists(st.tuples(st.floats(0.0, 2.0), st.sampled_from([b"a", b"b"])), min_size=1, max_size=40)


def fed(stream, arrivals, start_s):
    """Let content arrive after each gap; return the time of the last arrival."""
    now_s = start_s
    for gap_s, content in arrivals:
        now_s += gap_s
        stream.arrive(now_s, content)
    return now_s


@given(max_age_s=ages, now_s=st.floats(-1e6, 1e6))
def test_what_never_came_is_not_fresh(max_age_s, now_s):
    for age_s in (max_age_s, math.inf):
        assert not Stream(age_s).fresh(now_s)
    assert Stream(max_age_s).age_s(now_s) == math.inf
    assert "nothing has come" in Stream(max_age_s).complaint(now_s)


@given(max_age_s=ages, arrivals=gaps, start_s=st.floats(-1e5, 1e5), later_s=st.floats(0.0, 20.0))
def test_it_is_fresh_for_its_maximum_age_after_the_last_arrival_and_no_longer(max_age_s, arrivals, start_s, later_s):
    stream = Stream(max_age_s)
    now_s = fed(stream, arrivals, start_s) + later_s
    age_s = stream.age_s(now_s)
    assert age_s == pytest.approx(later_s, abs=1e-9)
    assert stream.fresh(now_s) == (age_s <= max_age_s)
    assert bool(stream.complaint(now_s)) != stream.fresh(now_s)


@given(arrivals=gaps, early_s=st.floats(1e-3, 1e6))
def test_what_comes_from_the_future_is_not_fresh(arrivals, early_s):
    stream = Stream(1.0)
    assert not stream.fresh(fed(stream, arrivals, 0.0) - early_s)


@given(arrivals=gaps, frozen_s=st.floats(0.01, 2.0), max_age_s=ages)
def test_content_that_repeats_itself_for_too_long_is_not_fresh_until_it_changes(arrivals, frozen_s, max_age_s):
    stream = Stream(max_age_s, frozen_s)
    now_s, changed_s, last = 0.0, -math.inf, None
    for gap_s, content in arrivals:
        now_s += gap_s
        stream.arrive(now_s, content)
        if content != last:
            changed_s, last = now_s, content
        repeats_s = now_s - changed_s
        assert stream.fresh(now_s) == (not repeats_s > frozen_s)
        if repeats_s > frozen_s:
            assert stream.age_s(now_s) == repeats_s
            assert "same content" in stream.complaint(now_s)
    stream.arrive(now_s, b"never seen before")
    assert stream.fresh(now_s)


@given(arrivals=gaps)
def test_without_a_frozen_age_and_without_content_repetition_is_no_fault(arrivals):
    judged_not, contentless = Stream(1.0), Stream(1.0, 0.01)
    now_s = fed(judged_not, [(gap_s, b"same") for gap_s, _ in arrivals], 0.0)
    assert fed(contentless, [(gap_s, None) for gap_s, _ in arrivals], 0.0) == now_s
    assert judged_not.fresh(now_s)
    assert contentless.fresh(now_s)


@given(arrivals=gaps)
def test_forgetting_leaves_nothing(arrivals):
    stream = Stream(1.0, 0.1)
    now_s = fed(stream, arrivals, 0.0)
    stream.forget()
    assert not stream.fresh(now_s)
    stream.arrive(now_s, arrivals[-1][1])
    assert stream.fresh(now_s)


def test_no_maximum_asks_for_nothing():
    assert Stream(math.inf).complaint(0.0) == ""


@pytest.mark.parametrize("terms", [(0.0,), (-1.0,), (math.nan,), (1.0, -0.1), (1.0, math.nan)])
def test_terms_that_promise_nothing_are_refused(terms):
    with pytest.raises(ConfigError):
        Stream(*terms)


@given(gaps, ages, st.floats(0.0, 2.0), st.sampled_from([b"a", b"b"]))
def test_what_is_retracted_never_came(arrivals, max_age_s, wait_s, content):
    stream = Stream(max_age_s, 0.5)
    now_s = fed(stream, arrivals, 5.0) + wait_s
    before = stream.age_s(now_s), stream.fresh(now_s)
    stream.arrive(now_s, content)
    stream.retract()
    assert (stream.age_s(now_s), stream.fresh(now_s)) == before
