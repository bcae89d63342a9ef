"""What `bench swap` counts: ticks that nobody answered, within their spans, and commands that came too late."""

from types import SimpleNamespace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_cli.report.bag import Series
from tactus_cli.swapping.score import held, ticks, until_outcome


def stamps(count):
    return [(7, 5_000_000 * i) for i in range(count)]


def made(at_s, held=range(0)):
    sources = ["" if i in held else "policy" for i in range(len(at_s))]
    verdicts = [((7, i), SimpleNamespace(steady_s=made_s, source=sources[i])) for i, made_s in enumerate(at_s)]
    return Series(np.array(at_s, dtype=float), verdicts)


@given(lost=st.sets(st.integers(0, 99)), began=st.integers(0, 99), length=st.integers(0, 50))
@settings(max_examples=50)
def test_each_touch_of_a_span_that_nobody_answered_is_a_missed_tick(lost, began, length):
    touches = Series(np.arange(100) * 0.005, stamps(100))
    answered = {stamp for i, stamp in enumerate(stamps(100)) if i not in lost}
    inside = range(began, min(began + length, 100))
    found = ticks(touches, answered, made([]), [(began * 0.005 - 0.001, (began + length) * 0.005 - 0.001)])
    assert (found["ticks"], found["missed"]) == (len(inside), len(lost & set(inside)))


@given(at_s=st.floats(7.0, 7.5), length_s=st.floats(0.001, 0.1))
def test_a_missed_tick_is_the_machines_where_it_stood_still_then_or_just_before(at_s, length_s):
    touches = Series(7.0 + np.arange(100) * 0.005, stamps(100))
    found = ticks(touches, set(stamps(100)[:40]), made([]), [(6.9, 8.0)], [(at_s, at_s + length_s)])
    felt_s = [second + 1e-9 * nanosecond for second, nanosecond in stamps(100)[40:]]
    near = [felt for felt in felt_s if at_s < felt + 0.005 and felt - 0.005 < at_s + length_s]
    assert (found["missed"], found["stalls"], found["missed_in_stalls"]) == (60, 1, len(near))


def test_where_nobody_knows_whether_the_machine_stood_still_none_is_said():
    found = ticks(Series(np.array([7.0]), stamps(1)), set(), made([]), [(6.9, 8.0)], None)
    assert (found["missed"], found["stalls"], found["missed_in_stalls"]) == (1, None, None)


@given(late_ms=st.floats(0.0, 40.0))
@settings(max_examples=25)
def test_a_command_that_comes_two_periods_after_the_last_is_counted(late_ms):
    at_s = np.arange(40) * 0.005
    at_s[20:] += late_ms * 1e-3
    found = ticks(Series(np.empty(0), []), set(), made(at_s), [(-1.0, 1.0)])
    assert found["intervals_over_10_ms"] == int(5.0 + late_ms > 10.0 + 1e-9)


def test_nothing_is_counted_between_two_spans():
    at_s = [0.0, 0.005, 5.0, 5.005]
    found = ticks(Series(np.empty(0), []), set(), made(at_s), [(-0.1, 1.0), (4.9, 6.0)])
    assert (found["intervals_over_10_ms"], found["interval_ms"]["max"]) == (0, 5.0)


@given(outcomes_s=st.lists(st.floats(0.0, 30.0)))
def test_an_episode_ends_with_its_outcome_where_the_bench_still_watches(outcomes_s):
    began_s, end_s = until_outcome((10.0, 20.0), np.sort(outcomes_s))
    assert began_s == 10.0
    assert end_s == min([20.0, *(at_s for at_s in outcomes_s if at_s >= 10.0)])


@given(began=st.integers(1, 60), length=st.integers(0, 60), ends=st.integers(0, 90))
def test_held_is_each_tick_without_the_policy_until_the_outcome(began, length, ends):
    at_s = 7.0 + np.arange(100) * 0.005
    lost = range(began, began + length)
    found = held(made(at_s, held=lost), [(6.9, 8.0)], np.array([at_s[ends] - 0.001]))
    assert found["held"] == len([i for i in lost if i < ends])
    longest = min(began + length, ends - 1) - began + 1 if ends > began else 1 if ends > 1 else 0
    assert found["longest_held_s"] == np.round(0.005 * longest, 3)
