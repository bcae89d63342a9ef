"""The networks learn, the tokenizer leaves to touch what touch can tell, and a training can be interrupted."""
# ruff: noqa: E402 (torch is asked for before anything that imports it)

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

torch = pytest.importorskip(
    "torch", reason="tactus_models trains with torch, which is not installed here: pip install -r requirements/train.txt"
)

import wiping_data

from tactus_core.errors import ConfigError
from tactus_models import loop, normalise
from tactus_models.config import DataConfig, DiffusionConfig, TokenizerConfig, TrainConfig, TransformerConfig
from tactus_models.dataset import prepare
from tactus_models.diffusion import ActionTarget, DiffusionStage, LatentTarget
from tactus_models.networks import Denoiser, ImageEncoder
from tactus_models.objectives import OBJECTIVES
from tactus_models.tokenizer import Tokenizer, TokenizerStage, falsify

SMALL = DiffusionConfig(
    features=16, encoder_widths=(8, 16), unet_widths=(16, 32), batch=8, noise_samples=1,
    transformer=TransformerConfig(width=32, layers=2, heads=2, dropout=0.0),
)  # fmt: skip
CONFIG = TrainConfig(
    tokenizer=TokenizerConfig(hidden=16, gru_hidden=32, batch=32, steps=400, learning_rate=4e-3), diffusion=SMALL, threads=1
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("learning")
    return prepare(wiping_data.write(folder / "data", 12, 5.0), folder / "samples", DataConfig())


@pytest.fixture(scope="module")
def tokenizer(data, tmp_path_factory):
    return loop.fit(TokenizerStage(data, CONFIG), tmp_path_factory.mktemp("tokenizer"), 0, 100.0)


values = arrays(np.float32, (7, 3), elements=st.floats(-100, 100, width=32))


@pytest.mark.parametrize("fit", [normalise.min_max, normalise.standard, normalise.quantile])
@given(values=values)
def test_normalising_and_back_is_the_identity(fit, values):
    fitted = fit(values)
    assert (fitted.scale > 0).all()
    np.testing.assert_allclose(fitted.unnormalise(fitted.normalise(values)), values, atol=1e-4)


@given(values=values)
def test_min_max_stays_within_one(values):
    assert np.abs(normalise.min_max(values).normalise(values)).max() <= 1.0 + 1e-4


def test_shapes():
    config = DiffusionConfig()
    features = ImageEncoder(config.encoder_widths, config.features)(torch.zeros(2, 96, 96, 3, dtype=torch.uint8))
    assert features.shape == (2, 64)
    for steps, channels in ((8, 4), (32, 10)):
        sample = torch.zeros(2, steps, channels)
        noise = Denoiser(config.unet_widths, channels, 64 + 76)(sample, torch.tensor([0, 99]), torch.zeros(2, 64 + 76))
        assert noise.shape == sample.shape
    tokenizer = Tokenizer(TokenizerConfig(), 32)
    mean, log_variance = tokenizer.encode(torch.zeros(2, 32, 10))
    assert mean.shape == log_variance.shape == (2, *tokenizer.latent_shape) == (2, 8, 4)
    assert tokenizer.decode(mean, torch.zeros(2, 5, 14)).shape == (2, 5, 10)


def test_an_action_depends_on_no_later_row():
    tokenizer = Tokenizer(TokenizerConfig(), 32)
    window = torch.randn(1, 20, 14)
    latent = torch.randn(1, 8, 4)
    torch.testing.assert_close(tokenizer.decode(latent, window)[:, :7], tokenizer.decode(latent, window[:, :7]))


def test_a_false_disturbance_leaves_the_tangential_plan_alone(data):
    chunk = torch.from_numpy(np.array(data.chunk[::10]))
    false = falsify(chunk, 0.05, TokenizerConfig(), torch.Generator().manual_seed(0))
    torch.testing.assert_close(false[..., [0, 1, 9]], chunk[..., [0, 1, 9]])
    assert (false[..., 2] - chunk[..., 2]).abs().max() > 0.01
    # Tilted columns keep their length to first order.
    assert (false[..., 3:6].norm(dim=-1) - 1.0).abs().max() < 0.1


def test_touch_steers_the_normal_and_the_latent_the_plan(tokenizer):
    metrics = tokenizer.metrics
    assert metrics["normal_mm"] < 2.0
    assert metrics["normal_mm_prior"] < 2.0 * metrics["normal_mm"] + 0.5
    assert metrics["tangential_mm_prior"] > 3.0 * metrics["tangential_mm"]


@pytest.mark.parametrize(("kind", "policy"), [("latent", "unet"), *(("chunk", policy) for policy in OBJECTIVES)])
def test_one_batch_is_learnt_by_heart(data, tokenizer, kind, policy):
    tokenizing = TokenizerStage(data, CONFIG)
    target = ActionTarget(data, tokenizing.action) if kind == "chunk" else LatentTarget(data, tokenizer.module, tokenizing)
    stage = DiffusionStage(data, target, replace(CONFIG, diffusion=replace(SMALL, policy=policy)))
    optimiser = torch.optim.AdamW(stage.module.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        loss = stage.losses(loop.Dice.of(0, 0))["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.1 * losses[0]


@pytest.mark.parametrize("kind", ["tokenizer", "chunk"])
def test_an_interrupted_training_gives_the_same_weights(data, kind, tmp_path, monkeypatch):
    # With dropout, whose chance is the step's as well.
    transformer = replace(SMALL, steps=12, policy="transformer", transformer=replace(SMALL.transformer, dropout=0.1))
    config = replace(CONFIG, tokenizer=replace(CONFIG.tokenizer, steps=12), diffusion=transformer)

    def stage():
        tokenizing = TokenizerStage(data, config)
        return tokenizing if kind == "tokenizer" else DiffusionStage(data, ActionTarget(data, tokenizing.action), config)

    class CutError(Exception):
        pass

    whole = loop.fit(stage(), tmp_path / "whole", 0, 100.0)
    cut = stage()
    losses, count = cut.losses, iter(range(100))

    def fails_at_seven(dice):
        if next(count) == 7:
            raise CutError
        return losses(dice)

    monkeypatch.setattr(loop, "CHECKPOINT_S", -1.0)
    cut.losses = fails_at_seven
    with pytest.raises(CutError):
        loop.fit(cut, tmp_path / "cut", 0, 100.0)
    resumed = loop.fit(stage(), tmp_path / "cut", 0, 100.0)
    assert resumed.steps == whole.steps == 12
    for name, value in whole.module.state_dict().items():
        torch.testing.assert_close(resumed.module.state_dict()[name], value, rtol=0.0, atol=0.0, msg=name)


def test_a_checkpoint_of_another_configuration_is_refused(data, tmp_path):
    config = replace(CONFIG, tokenizer=replace(CONFIG.tokenizer, steps=2))
    loop.fit(TokenizerStage(data, config), tmp_path, 0, 100.0)
    other = replace(CONFIG, tokenizer=replace(CONFIG.tokenizer, steps=2, kl_weight=0.5))
    with pytest.raises(ConfigError, match="another training"):
        loop.fit(TokenizerStage(data, other), tmp_path, 0, 100.0)


def test_a_time_budget_ends_a_stage(data, tmp_path):
    config = replace(CONFIG, tokenizer=replace(CONFIG.tokenizer, steps=1_000_000))
    assert loop.fit(TokenizerStage(data, config), tmp_path, 0, 0.01).steps < 10_000
