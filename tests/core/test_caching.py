"""A transformer that leaves out blocks is the transformer itself where it leaves out none, and never another one than was asked for."""
# ruff: noqa: E402 (torch is asked for before anything that imports it)

import dataclasses

import numpy as np
import pytest
from conftest import DDIM, FEATURES, write_bundle

torch = pytest.importorskip(
    "torch", reason="the transformer is made by torch, which is not installed: pip install -r requirements/train.txt"
)

from tiny_transformer import make_transformer

from tactus_core.engines.blocks import KINDS, Block, BlockEngine, Kept, cut
from tactus_core.errors import BundleError, ConfigError
from tactus_core.policy.bundle import Bundle, example_observation, find_bundle
from tactus_core.policy.caching import CacheKey, DenoiserCache, record
from tactus_core.policy.refreshing import adaptive, uniform
from tactus_core.policy.sampling import chosen, make_sampler
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.policy.specs import DirectSpec, FlowSpec
from tactus_core.types import ChunkKind

STEPS = 12
# What predicts the clean sample keeps to its size, also with weights that mean nothing.
CLEAN = dataclasses.replace(DDIM, prediction="sample")
BLOCKS = [Block(layer, kind) for layer in range(2) for kind in KINDS]


def write_transformer(folder, **choice):
    return make_transformer(write_bundle(folder, ChunkKind.ACTION, generator=CLEAN), **choice)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_transformer(tmp_path_factory.mktemp("transformer"))


@pytest.fixture(scope="module")
def other_folder(tmp_path_factory):
    return write_transformer(tmp_path_factory.mktemp("other"), after_norm=True)


@pytest.fixture(scope="module")
def bundle(folder):
    return Bundle.load(folder)


@pytest.fixture(scope="module")
def graphs(folder):
    return cut((folder / "denoiser.onnx").read_bytes(), "it")


@pytest.fixture
def written(tmp_path, bundle, graphs):
    """Write a cache with this schedule for DDPM."""

    def write(schedule, steps=STEPS, key=None):
        path = tmp_path / "some.cache"
        key = key or CacheKey.of(bundle, chosen(CLEAN, "ddpm", steps))
        DenoiserCache(key, schedule, graphs).save(path)
        return path

    return write


def observed(bundle, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(FEATURES).astype(np.float32), rng.standard_normal(bundle.card.low_dim_size)


def test_a_denoiser_is_cut_into_the_blocks_of_its_layers(bundle, graphs):
    engine = BlockEngine(graphs)
    assert list(engine.blocks) == BLOCKS
    inputs = example_observation(bundle.card)["denoiser"]
    np.testing.assert_allclose(engine.run(**inputs), bundle.run("denoiser", **inputs), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("sampler", "steps"), [("ddpm", STEPS), ("ddpm", 100), ("ddim", 8), ("dpmsolver++", 5)])
def test_what_is_always_refreshed_is_the_policy_itself(bundle, written, sampler, steps):
    key = CacheKey.of(bundle, chosen(CLEAN, sampler, steps))
    cache = written(dict.fromkeys(BLOCKS, tuple(range(steps))), key=key)
    plain, cached = (DiffusionPolicy(bundle, 3, sampler=sampler, steps=steps, cache=path) for path in (None, cache))
    for seed in range(3):
        np.testing.assert_allclose(cached.plan(*observed(bundle, seed)), plain.plan(*observed(bundle, seed)), rtol=1e-6, atol=1e-6)


def test_a_block_that_is_not_due_is_not_computed_and_gives_what_it_gave_last(bundle, graphs):
    engine, kept = BlockEngine(graphs), Kept()
    first, other = example_observation(bundle.card)["denoiser"], example_observation(bundle.card)["denoiser"]
    other["sample"] = other["sample"] + 1.0
    engine.step(BLOCKS, kept, **first)
    before = dict(kept.outputs)
    some = engine.step({BLOCKS[2]}, kept, **other)
    assert [block for block in BLOCKS if kept.outputs[block] is not before[block]] == [BLOCKS[2]]
    np.testing.assert_allclose(engine.step((), kept, **other), some, rtol=0, atol=1e-6)
    kept.total = None
    kept.outputs[BLOCKS[0]] = kept.outputs[BLOCKS[0]] + 1e3 * np.linspace(0.0, 1.0, 16, dtype=np.float32)
    assert np.abs(engine.step((), kept, **other) - some).max() > 0.01


def test_nothing_is_kept_from_one_plan_to_the_next(bundle, written):
    cache = written(uniform(tuple(BLOCKS), STEPS, 2))
    policy = DiffusionPolicy(bundle, 3, sampler="ddpm", steps=STEPS, cache=cache)
    plans = []
    for seed in (0, 1, 0):
        policy.reset(5)
        plans.append(policy.plan(*observed(bundle, seed)))
    np.testing.assert_array_equal(plans[0], plans[2])
    assert np.abs(plans[0] - plans[1]).max() > 1e-3


def test_a_schedule_from_a_recording_plans(bundle, graphs, written):
    engine, spec = BlockEngine(graphs), chosen(CLEAN, "ddpm", STEPS)
    condition = example_observation(bundle.card)["denoiser"]["condition"]
    reuse = record(engine, make_sampler(spec), bundle.card.sample_shape, [condition, 2 * condition], 0)
    for of in reuse.values():
        assert of.similarity.shape == of.difference.shape == (STEPS, STEPS)
        np.testing.assert_allclose(np.diag(of.similarity), 1.0, atol=1e-5)
    policy = DiffusionPolicy(bundle, sampler="ddpm", steps=STEPS, cache=written(adaptive(reuse, 4, 3)))
    assert np.isfinite(policy.plan(*observed(bundle))).all()


def test_a_cache_for_something_else_is_refused(bundle, written, other_folder):
    schedule = uniform(tuple(BLOCKS), STEPS, 2)
    for sampler, steps in (("ddim", STEPS), ("ddpm", STEPS + 1), (None, None)):
        with pytest.raises(ConfigError, match=f"is for denoiser .*--sampler ddpm --steps {STEPS}; bundle .* is sampled as"):
            DiffusionPolicy(bundle, sampler=sampler, steps=steps, cache=written(schedule))
    other = Bundle.load(other_folder)
    with pytest.raises(ConfigError, match=f"is for denoiser {bundle.card.graphs['denoiser'].sha256[:12]}"):
        DiffusionPolicy(other, sampler="ddpm", steps=STEPS, cache=written(schedule))
    # The card's hash is right, what runs is not: another precision, say.
    lying = dataclasses.replace(bundle, engines={**bundle.engines, "denoiser": other.engines["denoiser"]})
    with pytest.raises(BundleError, match="blocks differ from the denoiser that runs"):
        DiffusionPolicy(lying, sampler="ddpm", steps=STEPS, cache=written(schedule))
    direct = dataclasses.replace(bundle, card=dataclasses.replace(bundle.card, generator=DirectSpec()))
    with pytest.raises(ConfigError, match="no cache"):
        DiffusionPolicy(direct, cache=written(schedule))
    flow = dataclasses.replace(bundle, card=dataclasses.replace(bundle.card, generator=FlowSpec(8)))
    with pytest.raises(ConfigError, match="flow matching"):
        DiffusionPolicy(flow, cache=written(schedule))


@pytest.mark.parametrize("steps", [(), (1, 2), (0, STEPS)])
def test_a_schedule_with_gaps_is_refused(bundle, written, steps):
    path = written({**uniform(tuple(BLOCKS), STEPS, 2), BLOCKS[3]: steps})
    with pytest.raises(BundleError, match=r"block 1\.self_attention is refreshed at the steps"):
        DiffusionPolicy(bundle, sampler="ddpm", steps=STEPS, cache=path)


def test_a_file_that_is_damaged_or_missing_is_refused(bundle, written, tmp_path):
    path = written(uniform(tuple(BLOCKS), STEPS, 2))
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(BundleError, match="damaged or cut short"):
        DenoiserCache.load(path)
    with pytest.raises(ConfigError, match=r"cannot be read: No such file or directory\. Make it: \./tactus cache"):
        DenoiserCache.load(tmp_path / "none.cache")


def test_what_has_no_such_blocks_is_refused(action_bundle, other_folder):
    for made in (action_bundle, find_bundle("insert-base"), other_folder):
        with pytest.raises(BundleError, match="is no transformer of norm-first layers"):
            cut((made / "denoiser.onnx").read_bytes(), "it")
