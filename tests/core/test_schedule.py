from dataclasses import replace

import numpy as np
import pytest
from conftest import DDIM
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.policy.sampling import DiffusionSampler
from tactus_core.policy.schedule import Step, alphas, leading_timesteps

RNG = np.random.default_rng(0)


def spec(train=100, steps=8, clip=None):
    return replace(DDIM, clip_sample=clip, train_steps=train, inference_steps=steps)


def perfect(clean, train=100):
    """Return the denoiser that knows the clean sample."""
    bar = alphas("squaredcos_cap_v2", train)
    return lambda sample, t: ((sample - np.sqrt(bar[t]) * clean) / np.sqrt(1 - bar[t])).astype(np.float32)


@given(seed=st.integers(0, 2**31), train=st.integers(2, 200), data=st.data())
@settings(max_examples=50, deadline=None)
def test_a_perfect_denoiser_is_followed_to_the_clean_sample(seed, train, data):
    steps = data.draw(st.integers(1, train))
    rng = np.random.default_rng(seed)
    clean = rng.uniform(-1, 1, (1, 8, 4)).astype(np.float32)
    start = rng.standard_normal((1, 8, 4)).astype(np.float32)
    got = DiffusionSampler(spec(train, steps, clip=1.0)).sample(perfect(clean, train), start, rng)
    np.testing.assert_allclose(got, clean, atol=2e-3)


@given(train=st.integers(2, 1000), data=st.data())
def test_timesteps_fall_to_zero_within_the_schedule(train, data):
    steps = data.draw(st.integers(1, train))
    levels = leading_timesteps(train, steps)
    assert len(levels) == steps
    assert levels[-1] == 0
    assert levels[0] < train
    assert (np.diff(levels) < 0).all()


def test_signal_falls_from_nearly_one_to_nearly_none():
    bar = alphas("squaredcos_cap_v2", 100)
    assert (np.diff(bar) < 0).all()
    assert bar[0] > 0.999
    assert bar[-1] < 1e-6


def test_clipping_bounds_the_sample():
    start = np.full((1, 2, 2), 3.0, np.float32)
    got = DiffusionSampler(spec(clip=1.5)).sample(lambda sample, t: -5.0 * np.ones_like(sample), start, RNG)
    assert np.abs(got).max() <= 1.5


def test_the_hook_sees_every_step_and_may_change_the_sample():
    seen = []

    def hook(step, sample):
        seen.append(step)
        return np.zeros_like(sample)

    got = DiffusionSampler(spec(steps=4)).sample(lambda sample, t: sample, np.ones((1, 2, 2), np.float32), RNG, hook)
    bar = alphas("squaredcos_cap_v2", 100)
    assert seen[:3] == [Step(i, t, np.sqrt(bar[t - 25]), np.sqrt(1 - bar[t - 25])) for i, t in enumerate((75, 50, 25))]
    assert seen[3] == Step(3, 0, 1.0, 0.0)
    assert (got == 0).all()


def test_a_denoiser_of_gaussian_data_gives_its_spread():
    # For data N(m, s²) the best epsilon is known in closed form; samples must come out with that mean and spread.
    mean, spread, bar = 0.4, 0.3, alphas("squaredcos_cap_v2", 100)

    def denoise(sample, t):
        variance = bar[t] * spread**2 + 1 - bar[t]
        return (np.sqrt(1 - bar[t]) * (sample - np.sqrt(bar[t]) * mean) / variance).astype(np.float32)

    got = DiffusionSampler(spec(steps=50)).sample(denoise, np.random.default_rng(0).standard_normal(20000).astype(np.float32), RNG)
    assert got.mean() == pytest.approx(mean, abs=0.02)
    assert got.std() == pytest.approx(spread, abs=0.02)
