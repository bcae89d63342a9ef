import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactus_sim.wipe.layout import BOARD_CENTRE_m, BOARD_SIZE_m, draw

seeds = st.integers(0, 2**31)


@given(seeds)
def test_the_board_is_where_the_task_says_it_may_be(seed):
    layout = draw(seed)
    tilt = np.degrees(np.arccos(np.clip(layout.T_base_board[2, 2], -1, 1)))
    assert tilt <= 8.0 + 1e-6
    assert abs(layout.T_base_board[2, 3] - BOARD_CENTRE_m[2]) <= 0.020
    assert 0.3 <= layout.friction <= 1.0


@given(seeds)
def test_all_marks_lie_on_the_board(seed):
    layout = draw(seed)
    assert np.all(np.abs(layout.marks_m) + 0.007 <= np.array(BOARD_SIZE_m[:2]) / 2)
    assert len(layout.rows) == len(layout.marks_m)


@given(seeds)
def test_moves_are_as_large_and_as_far_apart_as_the_task_says(seed):
    moves = draw(seed).moves
    starts, sizes = np.array(moves).T
    assert np.all(np.diff(starts) >= 0.9)
    assert np.all((np.abs(sizes) >= 0.008) & (np.abs(sizes) <= 0.015))
    assert np.all(np.abs(np.cumsum(sizes)) <= 0.020 + 1e-9)


@given(seeds, st.floats(-1.0, 40.0))
def test_rate_and_acceleration_are_the_derivatives_of_the_motion(seed, at_s):
    layout, h = draw(seed), 1e-5
    _, rate, acceleration = layout.board_motion(at_s)
    before, after = layout.board_motion(at_s - h), layout.board_motion(at_s + h)
    assert (after[0] - before[0]) / (2 * h) == pytest.approx(rate, abs=1e-4)
    # The third derivative jumps where a move begins and ends.
    assert (after[1] - before[1]) / (2 * h) == pytest.approx(acceleration, abs=2e-2)


@given(seeds)
def test_a_seed_is_an_episode(seed):
    a, b = draw(seed), draw(seed)
    np.testing.assert_array_equal(a.marks_m, b.marks_m)
    np.testing.assert_array_equal(a.T_base_board, b.T_base_board)
    assert a.moves == b.moves
