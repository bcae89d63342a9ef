"""Rates, intervals and figures per part."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactus_cli.report.results import Criterion, criteria_of, episodes_table, summarise, summary_table
from tactus_core.policy.success import wilson
from tactus_core.types import Outcome

counts = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts)
def test_interval_encloses_the_rate_within_zero_and_one(count):
    successes, episodes = count
    low, high = wilson(successes, episodes)
    assert 0.0 <= low <= successes / episodes <= high <= 1.0
    assert low < high


@given(counts)
def test_interval_of_failures_mirrors_that_of_successes(count):
    successes, episodes = count
    low, high = wilson(successes, episodes)
    assert wilson(episodes - successes, episodes) == pytest.approx((1.0 - high, 1.0 - low), abs=1e-12)


@given(counts)
def test_more_episodes_of_the_same_rate_narrow_the_interval(count):
    successes, episodes = count
    low, high = wilson(successes, episodes)
    closer_low, closer_high = wilson(2 * successes, 2 * episodes)
    assert closer_high - closer_low < high - low


@given(counts)
def test_limits_are_where_the_rate_is_just_as_many_standard_errors_away(count):
    successes, episodes = count
    rate = successes / episodes
    for limit in wilson(successes, episodes):
        if 0.0 < limit < 1.0:
            standard_error = math.sqrt(limit * (1.0 - limit) / episodes)
            assert abs(rate - limit) == pytest.approx(1.959964 * standard_error, abs=1e-6)


def test_interval_without_episodes_says_nothing():
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.floats(allow_nan=True))
def test_criterion_is_met_within_its_limits_only(value):
    assert Criterion("a", low=0.9).met(value) == (value >= 0.9)
    assert Criterion("a", high=30.0).met(value) == (value <= 30.0)


def outcome(seed, wiped, in_band, peak_N):
    success = wiped >= 0.9 and in_band >= 0.9 and peak_N <= 30.0
    return Outcome(seed, success, {"wiped": wiped, "in_band": in_band, "peak_force_N": peak_N, "stroke_s": 5.0, "episode_s": 6.0})


OUTCOMES = [outcome(7, 1.0, 0.95, 12.0), outcome(8, 0.5, 0.91, 34.0), outcome(9, 0.9, 0.85, 30.0), outcome(10, 0.96, 0.9, 20.0)]


def test_summary_has_the_stable_keys_and_a_row_per_episode():
    summary = summarise("wipe", "some-bundle", OUTCOMES, 12.345)
    assert list(summary)[:7] == ["task", "bundle", "episodes", "success_rate", "interval", "parts", "wall_s"]
    assert (summary["success_rate"], summary["episodes"]) == (0.5, 4)
    assert summary["interval"] == pytest.approx([0.15004, 0.84996], abs=1e-4)
    assert [row["seed"] for row in summary["outcomes"]] == [7, 8, 9, 10]


def test_parts_tell_mean_worst_and_how_often_each_criterion_was_met():
    parts = summarise("wipe", "some-bundle", OUTCOMES, 1.0)["parts"]
    expected = {
        "wiped_mean": 0.84, "in_band_mean": 0.9025, "peak_force_N_mean": 24.0, "stroke_s_mean": 5.0, "episode_s_mean": 6.0,
        "wiped_ok_rate": 0.75, "wiped_min": 0.5, "in_band_ok_rate": 0.75, "in_band_min": 0.85, "peak_ok_rate": 0.75,
        "peak_force_N_max": 34.0,
    }  # fmt: skip
    assert parts == pytest.approx(expected)


def test_criteria_are_those_that_the_score_judges_by():
    from tactus_sim.wipe.layout import draw
    from tactus_sim.wipe.score import Score

    parts = Score(draw(0)).outcome(0.0).parts
    assert {criterion.part for criterion in criteria_of("wipe").values()} <= set(parts)
    assert criteria_of("another") == {}


@pytest.mark.parametrize("task", ["wipe", "another"])
def test_tables_show_every_part_and_every_episode(task):
    summary = summarise(task, "some-bundle", OUTCOMES, 1.0)
    assert summary_table(summary, "in lockstep").row_count == 5
    assert episodes_table(task, OUTCOMES).row_count == 4
