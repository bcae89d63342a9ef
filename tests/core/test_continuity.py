"""Positions that cannot be the robot's are not believed, whoever sends them and however often."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tactus_core.continuity import Continuity

SPEED = np.full(7, 2.0)
STEP_S = 0.005


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 1.0))
def test_a_robot_is_believed_and_a_stranger_is_not(seed, share):
    rng = np.random.default_rng(seed)
    continuity, q, now_s = Continuity(SPEED, 0.05), rng.uniform(-2, 2, 7), 10.0
    assert not continuity.believes(q, now_s)
    assert continuity.believes(q, now_s + STEP_S)
    now_s += STEP_S
    for i in range(100):
        now_s += STEP_S
        q = q + rng.uniform(-1, 1, 7) * SPEED * STEP_S
        if i % 4 and rng.random() < share:  # the robot itself is heard at least every fourth time
            assert not continuity.believes(q + rng.choice((-1, 1)) * rng.uniform(0.2, 3, 7), now_s)
        else:
            assert continuity.believes(q, now_s)


@given(st.integers(0, 2**32 - 1))
def test_noise_alone_is_never_believed(seed):
    rng = np.random.default_rng(seed)
    continuity = Continuity(SPEED, 0.05)
    assert not any(continuity.believes(rng.uniform(-np.pi, np.pi, 7), 10.0 + STEP_S * i) for i in range(200))


@given(st.floats(0.06, 100.0))
def test_after_a_silence_a_robot_that_was_moved_is_believed_again(silence_s):
    continuity = Continuity(SPEED, 0.05)
    for i in range(3):
        continuity.believes(np.zeros(7), STEP_S * i)
    back_s = 3 * STEP_S + silence_s
    assert not continuity.believes(np.ones(7), back_s)
    assert continuity.believes(np.ones(7), back_s + STEP_S)
