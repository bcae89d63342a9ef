import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactus_sim.wipe.layout import draw
from tactus_sim.wipe.score import Score


def felt(forces_N):
    score = Score(draw(0))
    for i, force_N in enumerate(forces_N):
        score.feel(i * 0.005, force_N, force_N)
    return score


def test_lost_contact_counts_against_the_band():
    assert felt([0.0] * 50 + [8.0] * 80 + [0.0] * 20).in_band == pytest.approx(0.8)


def test_time_before_the_first_contact_does_not_count():
    score = felt([0.0] * 100 + [8.0] * 10)
    assert score.in_band == 1.0
    assert score.contact_at_s == pytest.approx(0.5)


def test_a_peak_fails_an_episode_that_is_otherwise_good():
    score = felt([8.0] * 1000 + [30.5])
    score.left[:] = 0
    assert score.in_band > 0.99
    assert not score.outcome(5.0).success
    assert felt([8.0] * 1000).outcome(5.0).success is False  # nothing wiped


@given(st.floats(0.0, 1.9))
def test_a_pad_that_hardly_presses_wipes_nothing(force_N):
    score = Score(draw(1))
    score.wipe(score.layout.marks_m[0], np.eye(2), force_N, np.zeros(2))
    assert score.wiped == 0.0


def test_a_pressed_pad_wipes_what_is_under_it_and_nothing_else():
    score = Score(draw(1))
    score.wipe(score.layout.marks_m[0], np.eye(2), 8.0, np.zeros(2))
    inside = np.all(np.abs(score.layout.marks_m - score.layout.marks_m[0]) <= [0.040, 0.042], axis=1)
    np.testing.assert_array_equal(score.left == 0, inside)


def test_a_tilted_pad_wipes_on_the_side_that_presses():
    score = Score(draw(1))
    score.layout.marks_m[:2] = [[0.035, 0.0], [-0.035, 0.0]]
    score.wipe(np.zeros(2), np.eye(2), 4.0, np.array([0.012, 0.0]))
    assert score.left[0] == 0
    assert score.left[1] == 1
