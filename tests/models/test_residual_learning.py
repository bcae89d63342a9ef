"""A residual learns to reach what the base misses; its replay tells returns as they were; a training that was cut goes on."""
# ruff: noqa: E402 (torch is asked for before anything that imports it)

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip(
    "torch", reason="tactus_models trains with torch, which is not installed here: pip install -r requirements/train.txt"
)
pytest.importorskip("tensorboardX", reason="residuals log for TensorBoard: pip install -r requirements/train.txt")

from tactus_core.errors import ConfigError
from tactus_core.learning.transitions import Transitions
from tactus_core.ports import Practised
from tactus_core.types import Outcome
from tactus_models.config import ResidualConfig
from tactus_models.residual.networks import OBSERVATION_SIZE, Actor, Critics
from tactus_models.residual.replay import Replay, at_success
from tactus_models.residual.train import ResidualTraining, limits_of

CONFIG = ResidualConfig(
    steps=200, warm_up_steps=60, warm_up_updates=20, batch=32, hidden=32, critics=3, updates_per_step=1, actor_learning_rate=3e-3,
    critic_learning_rate=3e-3, discount=0.9, validate_every=10_000, validate_episodes=2,
)  # fmt: skip


def lived(observed, corrections, success, **more):
    """An episode without a human, unless `more` says otherwise."""
    count = len(observed)
    rows = {"executed": np.zeros((count, 6)), "intervened": np.zeros(count, bool), "onset": np.zeros(count, bool)}
    rows |= {"observed": np.array(observed), "correction": np.array(corrections), "stamp_s": 0.05 * np.arange(count)}
    told = {"success": success, "ended": success, "reward_source": "label", "bundle": "", "bundle_hash": "", "seed": 0, "episode": 0}
    return Transitions(**rows | told | more)


class Drift:
    """A point that has to be pushed far enough along x within ten decisions; a base that proposes nothing never gets there."""

    def episode(self, seed, decide):
        x, observed, corrections = 0.0, [], []
        rng = np.random.default_rng(seed)
        for _ in range(10):
            row = 0.1 * rng.standard_normal(OBSERVATION_SIZE)
            row[0], row[-6:] = x, 0.0
            observed.append(row)
            corrections.append(np.asarray(decide(row)))
            x += 0.2 * float(np.clip(corrections[-1][0], -1.0, 1.0))
            if x > 0.5:
                break
        outcome = Outcome(seed, x > 0.5, {"episode_s": 0.05 * len(observed)})
        return Practised(lived(observed, corrections, x > 0.5), outcome)


def training(config=CONFIG, **identity):
    demonstrations = Replay(1000, config)
    for seed in range(20):
        episode = Drift().episode(seed, lambda _: np.array([1.0, 0, 0, 0, 0, 0]))
        demonstrations.add_practised(episode.transitions, limits_of(config))
    return ResidualTraining(Drift(), demonstrations, config, 0, identity)


@given(rows=st.integers(1, 12), success=st.booleans(), ended=st.booleans(), n_step=st.integers(1, 5))
def test_a_return_is_the_reward_discounted_and_what_follows_is_of_the_same_episode(rows, success, ended, n_step):
    config = replace(CONFIG, n_step=n_step)
    replay = Replay(100, config)
    for first in (0, 100):  # a neighbour on either side must not leak in
        observed = np.arange(first, first + rows, dtype=float)[:, None] * np.ones(OBSERVATION_SIZE)
        replay.add(observed, np.zeros((rows, 6)), at_success(rows, success), ended)
    if rows == 1 and not ended:
        return
    batch = replay.draw(40, np.random.default_rng(0))
    for i in range(len(batch.gain)):
        row, after = batch.observed[i, 0].item(), batch.following[i, 0].item()
        left = rows - row % 100 - (not ended)
        assert left > 0
        if ended and n_step >= left:
            assert batch.gain[i].item() == pytest.approx(success * config.discount ** (left - 1), rel=1e-5)
            assert batch.discount[i].item() == 0.0
        else:
            steps = min(n_step, left)
            assert batch.gain[i].item() == 0.0
            assert after == row + steps
            assert batch.discount[i].item() == pytest.approx(config.discount**steps, rel=1e-5)


def test_an_actor_begins_with_nothing_and_stays_within_one():
    actor, observed = Actor(32), 100.0 * torch.randn(50, OBSERVATION_SIZE)
    assert actor(observed).abs().max() == 0.0
    torch.nn.init.normal_(actor.body[-1].weight, std=10.0)
    assert 0.9 < actor(observed).abs().max() <= 1.0


def test_heads_drawn_are_heads_of_the_ensemble():
    critics, observed, action = Critics(5, 16), torch.randn(7, OBSERVATION_SIZE), torch.randn(7, 6)
    values = critics(observed, action)
    assert values.shape == (5, 7)
    torch.testing.assert_close(critics(observed, action, torch.tensor([3, 1])), values[[3, 1]])


def test_it_learns_what_the_base_cannot_and_a_cut_training_goes_on(tmp_path):
    whole = training()
    before = whole.validate()
    assert before["success"] == before["size"] == 0.0
    whole.run(tmp_path / "whole")
    assert whole.validate()["success"] == 1.0
    assert list((tmp_path / "whole" / "tensorboard").iterdir())

    cut = training(replace(CONFIG, steps=120))
    cut.run(tmp_path / "cut")
    again = training()
    again.run(tmp_path / "cut")
    assert again.done.steps == whole.done.steps
    for name, value in whole.agent.actor.state_dict().items():
        torch.testing.assert_close(again.agent.actor.state_dict()[name], value, rtol=0.0, atol=0.0, msg=name)
    with pytest.raises(ConfigError, match="another training"):
        training(base="other").run(tmp_path / "cut")
