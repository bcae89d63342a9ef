"""Guided real-time chunking: its mask and weight by hand, a step against the paper's formula, and what comes of many steps."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import DDIM
from hypothesis import given, settings
from hypothesis import strategies as st

from tactus_core.policy.guidance import foresight, guidance_weight, guided, soft_mask
from tactus_core.policy.sampling import make_sampler
from tactus_core.policy.schedule import alphas
from tactus_core.policy.specs import FlowSpec

ROWS, CHANNELS = 4, 2
SIZE = ROWS * CHANNELS
SPECS = {"flow": FlowSpec(6), "epsilon": DDIM, "sample": replace(DDIM, prediction="sample")}


def test_the_mask_by_hand():
    # A chunk of 8 rows, 3 played since the last one, 2 decided: c = 3/4, 2/4, 1/4.
    np.testing.assert_allclose(soft_mask(2, 5), [1.0, 1.0, 0.487551, 0.188770, 0.041324], atol=1e-6)
    np.testing.assert_array_equal(soft_mask(5, 3), [1.0, 1.0, 1.0])


@given(decided=st.integers(0, 40), overlap=st.integers(1, 40))
@settings(deadline=None)
def test_what_is_decided_stays_and_what_comes_later_binds_less(decided, overlap):
    mask = soft_mask(decided, overlap)
    assert mask.shape == (overlap,)
    assert (mask[:decided] == 1.0).all()
    assert (np.diff(mask[max(decided - 1, 0) :]) < 0.0).all()
    assert 0.0 < mask[-1] <= 1.0


@pytest.mark.parametrize(("tau", "weight"), [(0.0, 5.0), (0.2, 4.25), (0.5, 2.0), (0.8, 4.25), (0.99, 5.0)])
def test_the_weight_by_hand(tau, weight):
    assert guidance_weight(tau, 5.0) == pytest.approx(weight)


def linear(matrix, offset):
    """Return a denoiser, matrix (n, n) times the flat sample plus offset (n,), with its gradient."""

    def pullback(sample, timestep):
        predicted = (matrix @ sample.ravel() + offset).reshape(sample.shape).astype(np.float32)
        return predicted, lambda v: (matrix.T @ v.ravel()).reshape(v.shape).astype(np.float32)

    return pullback


def signal_and_noise(spec, timestep):
    if isinstance(spec, FlowSpec):
        return 1.0 - timestep, timestep
    bar = alphas(spec.schedule, spec.train_steps)[timestep]
    return np.sqrt(bar), np.sqrt(1.0 - bar)


@pytest.mark.parametrize("kind", SPECS)
@given(seed=st.integers(0, 2**31), share=st.floats(0.02, 0.98))
@settings(deadline=None)
def test_a_step_is_the_papers(kind, seed, share):
    """On a linear denoiser, with its Jacobian written out and everything in the paper's A, τ and v."""
    rng, spec = np.random.default_rng(seed), SPECS[kind]
    matrix, offset = rng.normal(0.0, 0.5, (SIZE, SIZE)), rng.normal(size=SIZE)
    mask, known = rng.random(ROWS).astype(np.float32), rng.normal(size=(ROWS, CHANNELS)).astype(np.float32)
    sample = rng.normal(size=(1, ROWS, CHANNELS)).astype(np.float32)
    timestep = np.float32(share) if kind == "flow" else np.int64(share * 100)

    signal, noise = signal_and_noise(spec, timestep)
    total, tau = signal + noise, signal / (signal + noise)
    A = sample.ravel() / total
    predicted, jacobian = matrix @ (total * A) + offset, total * matrix
    if kind == "flow":
        v, J_v = -predicted, -jacobian
    elif kind == "epsilon":
        v, J_v = (total * A - noise * predicted) / signal - predicted, (total * np.eye(SIZE) - noise * jacobian) / signal - jacobian
    else:
        v, J_v = predicted - (total * A - signal * predicted) / noise, jacobian - (total * np.eye(SIZE) - signal * jacobian) / noise
    clean, J_clean = A + (1.0 - tau) * v, np.eye(SIZE) + (1.0 - tau) * J_v
    r2 = (1.0 - tau) ** 2 / (tau**2 + (1.0 - tau) ** 2)
    v = v + min(5.0, (1.0 - tau) / (tau * r2)) * J_clean.T @ (np.repeat(mask, CHANNELS) * (known.ravel() - clean))
    expected = {"flow": -v, "epsilon": A - tau * v, "sample": A + (1.0 - tau) * v}[kind]

    got = guided(linear(matrix, offset), spec, known, mask)(sample, timestep)
    np.testing.assert_allclose(got.ravel(), expected, rtol=2e-3, atol=2e-3 * np.abs(expected).max())


def of_gaussian(spec):
    """Return the exact denoiser of data from N(0, 1): the best guess of the clean sample is a share of the noisy one."""
    foresee = foresight(spec)

    def pullback(sample, timestep):
        signal, noise, of_sample, of_predicted = foresee(timestep)
        gain = np.float32((signal / (signal**2 + noise**2) - of_sample) / of_predicted)
        return gain * sample, lambda v: gain * v

    return pullback


@pytest.mark.parametrize("kind", SPECS)
def test_with_every_row_bound_and_enough_steps_the_plan_is_what_was_known(kind):
    rng, spec = np.random.default_rng(0), replace(SPECS[kind], inference_steps=100)
    known = rng.normal(size=(ROWS, CHANNELS)).astype(np.float32)
    start = rng.standard_normal((1, ROWS + 1, CHANNELS), dtype=np.float32)
    denoise = guided(of_gaussian(spec), spec, known, np.ones(ROWS, np.float32), first_row=1, beta=100.0)
    made = make_sampler(spec).sample(denoise, start, rng)
    np.testing.assert_allclose(made[0, 1:], known, atol=1e-4)
    free = make_sampler(spec).sample(lambda sample, timestep: of_gaussian(spec)(sample, timestep)[0], start, rng)
    np.testing.assert_array_equal(made[0, 0], free[0, 0])
