"""Learning from corrections: who is corrected needs no correction any more, by each method; a learner that was cut goes on."""
# ruff: noqa: E402 (torch is asked for before anything that imports it)

from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip(
    "torch", reason="tactus_models trains with torch, which is not installed here: pip install -r requirements/train.txt"
)
pytest.importorskip("tensorboardX", reason="learners log for TensorBoard: pip install -r requirements/train.txt")

import wiping_data

from tactus_core.errors import ConfigError
from tactus_core.learning.transitions import Experience, Transitions, save
from tactus_core.learning.versions import Versions
from tactus_core.policy.bundle import Bundle, find_bundle
from tactus_core.policy.card import load_card
from tactus_core.policy.exploring import explores, noise_of
from tactus_core.policy.swap import require_agreement
from tactus_core.types import ChunkKind
from tactus_models.config import CORRECTED, DataConfig, LearnConfig
from tactus_models.dataset import prepare
from tactus_models.learning.base import BaseLearner
from tactus_models.learning.follow import Following
from tactus_models.learning.recipes import RECIPES, before_onsets, labelled
from tactus_models.learning.residual import ResidualLearner, stretches
from tactus_models.residual.train import limits_of
from tactus_models.restored import restored

SMALL = replace(
    CORRECTED, steps=1000, warm_up_steps=20, warm_up_updates=60, updates_per_step=2, batch=32, hidden=32, critics=3, discount=0.9,
    actor_learning_rate=3e-3, critic_learning_rate=3e-3,
)  # fmt: skip
CONFIG = LearnConfig(residual=SMALL, offline_updates=60, collected_steps=20)
PUSH = np.array([1.0, 0, 0, 0, 0, 0])


def written_bundle(folder, **more):
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("bundles", Path(__file__).parents[1] / "core" / "conftest.py")
    helper = module_from_spec(spec)
    spec.loader.exec_module(helper)
    return helper.write_bundle(folder, ChunkKind.ACTION, **more)


def drift(episode, decide):
    """A point that has to be pushed along x; a base that proposes nothing, and a human who pushes when it has not moved for three rows."""
    rng, x, helps, stood = np.random.default_rng(episode), 0.0, False, 0
    rows = {name: [] for name in ("observed", "correction", "executed", "intervened", "onset")}
    while x <= 0.5 and len(rows["onset"]) < 12:
        row = 0.1 * rng.standard_normal(82)
        row[0], row[-6:] = x, 0.0
        share = np.clip(decide(row) + 0.1 * rng.standard_normal(6), -1.0, 1.0)
        takes = not helps and stood >= 3
        helps = helps or takes
        moved = 0.2 * (1.0 if helps else share[0])
        stood = 0 if moved > 0.05 else stood + 1
        x += max(moved, 0.0)
        done = limits_of(SMALL) * (PUSH if helps else share)
        for name, value in (("observed", row), ("correction", share), ("executed", done), ("intervened", helps), ("onset", takes)):
            rows[name].append(value)
    told = {"success": x > 0.5, "ended": x > 0.5, "reward_source": "label", "bundle": "b", "bundle_hash": "", "seed": 0, "episode": episode}
    return Transitions(**{k: np.array(v) for k, v in rows.items()}, stamp_s=0.05 * np.arange(len(rows["onset"])), **told)


def shown(count=6):
    """Demonstrations: what the human would have done from the start."""
    pushed = [drift(1000 + seed, lambda _: PUSH) for seed in range(count)]
    return [(episode.observed, np.tile(limits_of(SMALL) * PUSH, (len(episode), 1))) for episode in pushed]


def lived(following, experience, versions, episodes):
    """Let robot and learner take turns; return how often the human took over, episode by episode."""
    counts = []
    for number in range(following.episodes, following.episodes + episodes):
        bundle = Bundle.load(versions.paths()[-1])
        normaliser = bundle.normalisers["residual"]
        episode = drift(number, lambda row, b=bundle, n=normaliser: b.run("residual", observation=n.normalise(row)[None])[0])
        save(episode, experience.path(number))
        following.step()
        counts.append(episode.interventions)
    return counts


@settings(max_examples=30, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_rlif_pays_just_before_an_onset_and_a_label_at_the_end(flags):
    episode = drift(0, lambda _: 0 * PUSH)
    count, onset = len(flags), np.array(flags)
    rows = {name: np.zeros((count, width)) for name, width in (("observed", 82), ("correction", 6), ("executed", 6))}
    episode = replace(episode, **rows, intervened=onset, onset=onset, stamp_s=np.arange(float(count)), success=True)
    assert before_onsets(episode).tolist() == [-float(flag) for flag in flags[1:]] + [0.0]
    assert labelled(episode).tolist() == [0.0] * (count - 1) + [1.0]
    assert not labelled(replace(episode, success=None, reward_source="none")).any()
    covered = np.zeros(count, bool)
    for first, last in stretches(onset):
        covered[first:last] = True
    assert covered.tolist() == flags


@pytest.mark.parametrize("method", RECIPES)
def test_who_is_corrected_needs_no_correction_any_more(method, tmp_path):
    base = written_bundle(tmp_path / "base")
    learner = ResidualLearner(base, shown(), RECIPES[method], CONFIG, 0)
    experience, versions = Experience(tmp_path / "experience"), Versions(tmp_path / "versions")
    with Following(learner, experience, versions, tmp_path / "work", "1+test", 4) as following:
        counts = lived(following, experience, versions, 20)
        following.finish()
    if method != "wsrl":  # which begins with what was demonstrated
        assert sum(counts[:5]) >= 3
    assert sum(counts[-5:]) <= 1
    last = Bundle.load(versions.paths()[-1])
    assert last.card.version == f"1+test.{len(versions.paths()) - 1}"
    assert last.card.name == "base"


def test_a_bundle_with_a_residual_goes_on_from_it(tmp_path):
    before, after = find_bundle("insert-residual"), tmp_path / "after"
    config = replace(CONFIG, residual=replace(CORRECTED, steps=2000))
    learner = ResidualLearner(before, shown(), RECIPES["hil"], config, 0)
    learner.write(after, "1", explore=True)
    assert ResidualLearner(after, shown(), RECIPES["hil"], config, 0).steps == 0, "though that one explores"
    first, second = Bundle.load(before), Bundle.load(after)
    observed = np.random.default_rng(0).standard_normal((1, 82)).astype(np.float32)
    np.testing.assert_allclose(second.run("residual", observation=observed), first.run("residual", observation=observed), atol=1e-6)
    other = replace(config, residual=replace(config.residual, limit_m=0.01))
    with pytest.raises(ConfigError, match=r"limit_m=0\.008"):
        ResidualLearner(before, shown(), RECIPES["hil"], other, 0)


def test_a_learner_that_was_cut_goes_on_as_if_nothing_had_been(tmp_path):
    base, made = written_bundle(tmp_path / "base"), {}
    episodes = [drift(number, lambda _: 0.3 * PUSH) for number in range(8)]
    for name, cuts in (("whole", [8]), ("cut", [3, 5, 8])):
        experience, versions = Experience(tmp_path / name / "experience"), Versions(tmp_path / name / "versions")
        for upto in cuts:
            for episode in episodes[:upto]:
                save(episode, experience.path(episode.episode))
            learner = ResidualLearner(base, shown(), RECIPES["hil"], CONFIG, 0)
            with Following(learner, experience, versions, tmp_path / name, "1+hil", 100) as following:
                while following.step() is not None:
                    pass
                following.finish()
                told = following.versions()
        given = [0, *accumulate(episode.interventions for episode in episodes)]
        assert [told[at.name] for at in versions.paths()] == [{"lived": n, "corrections": given[n]} for n in (0, *cuts)]
        made[name] = learner.state()["agent"]["actor"]
    for name, value in made["whole"].items():
        torch.testing.assert_close(made["cut"][name], value, rtol=0.0, atol=0.0, msg=name)
    other = ResidualLearner(base, shown(), RECIPES["rlif"], CONFIG, 0)
    with pytest.raises(ConfigError, match="another learner"):
        Following(other, experience, versions, tmp_path / "cut", "1+rlif", 100)


def test_versions_explore_as_long_as_that_is_asked_for_and_the_last_says_what_was_learnt(tmp_path):
    base = written_bundle(tmp_path / "base")
    experience, versions = Experience(tmp_path / "experience"), Versions(tmp_path / "versions")

    def follow(explore):
        learner = ResidualLearner(base, shown(), RECIPES["hil"], CONFIG, 0)
        with Following(learner, experience, versions, tmp_path / "work", "1+hil", 3, explore) as following:
            while following.step() is not None:
                pass
            following.finish()
        return [load_card(folder / "card.yaml") for folder in versions.paths()]

    (first,) = follow(explore=True)
    assert (first.version, noise_of(first), first.residual.exploration.noise_time_s) == ("1+hil.0.explore", 1.0, SMALL.noise_time_s)
    for number in range(4):
        save(drift(number, lambda _: 0.3 * PUSH), experience.path(number))
    *_, learnt = follow(explore=True)
    assert (learnt.version, noise_of(learnt)) == ("1+hil.2.explore", SMALL.noise), "the warm-up is over"
    cards = follow(explore=False)
    assert [card.version for card in cards[2:]] == ["1+hil.2.explore", "1+hil.3"]
    assert not explores(cards[-1])
    assert cards[-1].graphs == learnt.graphs
    assert len(follow(explore=False)) == 4, "nothing new"
    assert follow(explore=True)[-1].version == "1+hil.4.explore"
    require_agreement(cards[-1], first)


def test_a_warm_start_draws_no_demonstration_once_it_has_begun(tmp_path):
    learner = ResidualLearner(written_bundle(tmp_path / "base"), shown(), RECIPES["wsrl"], CONFIG, 0)
    state = learner.state()
    state["demonstrations"] = {**state["demonstrations"], "observed": torch.full_like(state["demonstrations"]["observed"], torch.nan)}
    learner.restore(state)
    for number in range(12):
        learner.take(drift(number, lambda _: PUSH))
    assert all(value.isfinite().all() for value in learner.state()["agent"]["actor"].values())
    assert learner.state()["updates"] > state["updates"]


def test_a_bundle_alone_gives_its_networks_back():
    folder = find_bundle("insert-base")
    policy, config = restored(folder, Bundle.load(folder))  # which compares them with its graphs
    assert policy.generator.last.weight.shape[0] == 10
    assert config.unet_widths == (32, 48, 64)
    policy, _ = restored(find_bundle("wipe-rdp"), Bundle.load("wipe-rdp"))
    assert policy.generator.last.weight.shape[0] == 4
    with pytest.raises(ConfigError, match="cannot be trained further"):
        restored(find_bundle("insert-residual"), Bundle.load("insert-residual"))


# What is fitted where actions are planned, and where latents are.
@pytest.mark.parametrize(("base", "fitted"), [("insert-base", {"encoder", "denoiser"}), ("wipe-rdp", {"fast_head"})])
def test_a_base_is_fitted_to_corrections_once_there_are_enough(base, fitted, tmp_path):
    wiping_data.write(tmp_path / "data", 3, 2.0)
    experience, config = Experience(tmp_path / "experience"), replace(CONFIG, fit_every=2, fit_steps=2, head_steps=2)
    wiping_data.write(tmp_path / "written", 1, 2.0)
    experience.seen(0).parent.mkdir(parents=True)
    (tmp_path / "written" / "0.npz").rename(experience.seen(0))
    learner = BaseLearner(find_bundle(base), tmp_path / "data", experience, tmp_path / "fits", config, 0)
    first = learner.write(tmp_path / "first", "1+dagger.0", explore=False)
    episode = drift(0, lambda _: 0 * PUSH)
    assert episode.interventions == 1
    with pytest.raises(ConfigError, match="Leave --explore out"):
        learner.write(tmp_path / "wild", "1+dagger.0", explore=True)
    assert learner.take(episode) == {}
    assert learner.take(replace(episode, episode=9)) == {}, "what nobody saw cannot be learnt"
    assert learner.take(episode)["corrected_samples"] > 0
    second = learner.write(tmp_path / "second", "1+dagger.1", explore=False)
    changed = {name for name in first.graphs if first.graphs[name].sha256 != second.graphs[name].sha256}
    assert changed == fitted
    assert (first.name, first.normaliser) == (base, second.normaliser)
    again = BaseLearner(tmp_path / "second", tmp_path / "data", experience, tmp_path / "fits", config, 0)
    for name, values in learner.state()["policy"].items():
        torch.testing.assert_close(again.state()["policy"][name], values, msg=name)


def relieved(seed):
    """A press of an arm of 1275 N/m that is too hard, from which a human takes what is too much, from 0.3 s on."""
    t_s, arrays = 0.005 * np.arange(180), wiping_data.episode(seed, 0.9)
    press_N = 8.0 + np.random.default_rng(seed).uniform(6.0, 16.0) * np.exp(-np.maximum(t_s - 0.3, 0.0) / 0.15)
    target, tcp = arrays["action_pose"].copy(), arrays["tcp_pose"].copy()
    tcp[:, 2], target[:, 2] = 0.2, 0.2 - press_N / 1275.0
    wrench = np.zeros((180, 6))
    wrench[:, 2] = -press_N
    return arrays | {"tcp_pose": tcp, "action_pose": target, "executed_pose": target, "wrench": wrench}


@pytest.mark.parametrize(("ahead_s", "low_N", "high_N"), [(0.0, 15.0, 30.0), (0.5, 5.0, 11.0)])
def test_a_fast_head_learns_what_was_done_in_the_end_about_what_is_felt(ahead_s, low_N, high_N, tmp_path, monkeypatch):
    """Told at once, a target is where the tcp is plus force over stiffness: a head that learns this presses on as hard as it does."""
    monkeypatch.setattr("tactus_models.learning.head.BATCH", 32)
    experience = Experience(tmp_path / "experience")
    experience.seen(0).parent.mkdir(parents=True)
    for number in range(6):
        np.savez(experience.seen(number), **relieved(number))
    config = replace(CONFIG, fit_every=1, head_steps=300, ahead_s=ahead_s)
    learner = BaseLearner(find_bundle("wipe-rdp"), tmp_path, experience, tmp_path / "fits", config, 0)
    told = learner.take(drift(0, lambda _: 0 * PUSH))
    assert told["across_mm"] < 1.0, "where to wipe is the latent's"
    learner.write(tmp_path / "learnt", "1+dagger.1", explore=False)
    bundle, data = Bundle.load(tmp_path / "learnt"), prepare(experience.seen(0).parent, tmp_path / "samples", DataConfig())
    first = np.flatnonzero(np.diff(data.seed, prepend=-1))  # the anchors at 0.3 s
    window = bundle.normalisers["window"].normalise(data.window[first, :1])
    said = [bundle.run("fast_head", latent=np.zeros((1, 8, 4), np.float32), window=rows[None]) for rows in window]
    depth_m = bundle.normalisers["action"].unnormalise(np.concatenate(said))[:, 2]
    assert low_N < np.median(depth_m) * 1275.0 < high_N
