"""Our samplers beside those of diffusers, on a network of random weights and the same noise."""
# ruff: noqa: E402 (diffusers is asked for before anything that imports it)

from dataclasses import replace

import numpy as np
import pytest
from conftest import DDIM

diffusers = pytest.importorskip("diffusers", reason="samplers are compared with those of diffusers: pip install -r requirements/dev.txt")
torch = pytest.importorskip("torch", reason="diffusers computes with torch: pip install -r requirements/train.txt")

from diffusers.schedulers import scheduling_ddpm

from tactus_core.policy.sampling import make_sampler
from tactus_core.policy.schedule import alphas, leading_timesteps
from tactus_core.policy.specs import FlowSpec

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of diffusers with numpy 2
SHAPE = (1, 6, 5)
WEIGHTS = np.random.default_rng(1).normal(0.0, 0.5, (2, 5, 5)).astype(np.float32)


def network(sample, timestep):
    return np.tanh(sample @ WEIGHTS[0] + np.float32(0.01) * np.float32(timestep)) @ WEIGHTS[1]


def start():
    return np.random.default_rng(2).standard_normal(SHAPE, dtype=np.float32)


def sampled(spec):
    return make_sampler(spec).sample(network, start(), np.random.default_rng(3))


def stepped(scheduler, **options):
    """As diffusers' pipelines do."""
    sample = torch.from_numpy(start())
    for timestep in scheduler.timesteps:
        predicted = torch.from_numpy(network(sample.numpy(), float(timestep)))
        sample = scheduler.step(predicted, timestep, sample, **options).prev_sample.float()
    return sample.numpy()


def made(kind, spec, **options):
    """A scheduler of diffusers with our levels: its own are rounded to float32, which is 1e-3 of the smallest noise."""
    scheduler = kind(num_train_timesteps=spec.train_steps, beta_schedule=spec.schedule, prediction_type=spec.prediction, **options)
    levels = torch.from_numpy(alphas(spec.schedule, spec.train_steps))
    np.testing.assert_allclose(scheduler.alphas_cumprod.numpy(), levels.numpy(), rtol=1e-4, atol=1e-6)
    scheduler.alphas_cumprod = levels
    return scheduler


SPECS = pytest.mark.parametrize(
    "spec",
    [
        replace(DDIM, clip_sample=clip, prediction=prediction, schedule=schedule, inference_steps=steps)
        for clip in (None, 1.0)
        for prediction in ("epsilon", "sample")
        for schedule in ("squaredcos_cap_v2", "linear")
        for steps in ((8,) if clip else (1, 8, 50))
    ],
    ids=lambda spec: f"{spec.clip_sample}-{spec.prediction}-{spec.schedule}-{spec.inference_steps}",
)


@SPECS
@pytest.mark.parametrize("clip_noise", [False, True])
def test_ddim(spec, clip_noise):
    clip = {"clip_sample": spec.clip_sample is not None, "clip_sample_range": 1.0}
    theirs = made(diffusers.DDIMScheduler, spec, **clip)
    theirs.set_timesteps(spec.inference_steps)
    expected = stepped(theirs, use_clipped_model_output=clip_noise)
    np.testing.assert_allclose(sampled(replace(spec, clip_noise=clip_noise)), expected, rtol=1e-5, atol=1e-5)


@SPECS
def test_ddpm(spec, monkeypatch):
    rng = np.random.default_rng(3)
    monkeypatch.setattr(scheduling_ddpm, "randn_tensor", lambda shape, **_: torch.from_numpy(rng.standard_normal(shape, dtype=np.float32)))
    clip = {"clip_sample": spec.clip_sample is not None, "clip_sample_range": 1.0}
    theirs = made(diffusers.DDPMScheduler, spec, **clip)
    theirs.set_timesteps(spec.inference_steps)
    np.testing.assert_allclose(sampled(replace(spec, sampler="ddpm")), stepped(theirs), rtol=1e-5, atol=1e-5)


@SPECS
def test_dpm_solver(spec):
    # A threshold that may not exceed 1 clips.
    clip = {"thresholding": spec.clip_sample is not None, "sample_max_value": 1.0}
    theirs = made(diffusers.DPMSolverMultistepScheduler, spec, **clip)
    theirs.set_timesteps(timesteps=leading_timesteps(spec.train_steps, spec.inference_steps).tolist())
    np.testing.assert_allclose(sampled(replace(spec, sampler="dpmsolver++")), stepped(theirs), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("steps", [1, 2, 10])
def test_flow(steps):
    theirs = diffusers.FlowMatchEulerDiscreteScheduler(num_train_timesteps=1)
    theirs.set_timesteps(sigmas=np.linspace(1.0, 1.0 / steps, steps).tolist())
    np.testing.assert_allclose(sampled(FlowSpec(steps)), stepped(theirs), rtol=1e-5, atol=1e-5)
