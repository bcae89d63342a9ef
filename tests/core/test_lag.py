"""The lag between two signals of one motion, made up with a lag that is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.errors import DataError
from tactus_core.perception.lag import lag

SECONDS = 12.0


def motion(random):
    """Return a function of time: bursts of speed at irregular moments."""
    at_s, size = np.sort(random.uniform(-1.0, SECONDS + 1.0, 12)), random.uniform(0.3, 1.0, 12)
    width_s = random.uniform(0.1, 0.3, 12)
    return lambda t: (size * np.exp(-(((np.asarray(t)[:, None] - at_s) / width_s) ** 2))).sum(axis=1)


def seen(speed, random, rate_Hz, lag_s, noise):
    t = np.arange(0.0, SECONDS, 1.0 / rate_Hz) + random.uniform(0.0, 0.002, round(SECONDS * rate_Hz))
    values = 3.0 * speed(t - lag_s) + 1.0
    return t, values + noise * values.std() * random.normal(size=len(t))


@given(seed=st.integers(0, 2**32 - 1), lag_s=st.floats(-0.4, 0.4), noise=st.floats(0.0, 0.3))
@settings(max_examples=15, deadline=None)
def test_the_lag_of_a_slow_noisy_camera_is_found(seed, lag_s, noise):
    random = np.random.default_rng(seed)
    speed = motion(random)
    found = lag(seen(speed, random, 200.0, 0.0, 0.05), seen(speed, random, 30.0, lag_s, noise))
    assert found.lag_s == pytest.approx(lag_s, abs=0.025)
    assert 0.6 <= found.alike <= 1.0


def test_what_tells_nothing_is_refused():
    random = np.random.default_rng(0)
    speed = motion(random)
    joints = seen(speed, random, 200.0, 0.0, 0.01)
    with pytest.raises(DataError, match="overlap"):
        lag(joints, tuple(part[:60] for part in seen(speed, random, 30.0, 0.0, 0.0)))
    with pytest.raises(DataError, match="does not vary"):
        lag(joints, (joints[0], np.ones(len(joints[0]))))
    with pytest.raises(DataError, match="nowhere alike"):
        lag(joints, (joints[0], random.normal(size=len(joints[0]))))
    t = np.arange(0.0, SECONDS, 0.005)
    with pytest.raises(DataError, match="irregularly"):
        lag((t, np.abs(np.sin(8.0 * t))), (t, np.abs(np.sin(8.0 * (t - 0.05)))))
    with pytest.raises(DataError, match=r"irregularly|nowhere alike"):
        lag(joints, seen(speed, random, 30.0, 0.8, 0.0))
