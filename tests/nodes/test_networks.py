"""Nodes that run networks: their parameters, and what they do without the engine that they were asked for."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest

from tactus_core.config import from_mapping
from tactus_core.engines.blocks import cut
from tactus_core.errors import ConfigError
from tactus_core.history import StateArrays
from tactus_core.policy.bundle import Bundle, find_bundle
from tactus_core.policy.caching import CacheKey, DenoiserCache
from tactus_core.policy.refreshing import uniform
from tactus_core.policy.sampling import chosen
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.types import RobotState
from tactus_nodes.networks import BundleConfig, load_bundle, load_planner
from tactus_nodes.slow_policy import SlowPolicyConfig


def planner_of(bundle, **parameters):
    """Return what the slow policy's node plans by."""
    config = from_mapping(SlowPolicyConfig, {"bundle": bundle, "seed": 4, **parameters}, "params")
    node = SimpleNamespace(config=config, get_logger=lambda: logging.getLogger("node"))
    return load_planner(node, find_bundle(bundle))[1]


def test_parameters_say_what_there_is():
    with pytest.raises(ConfigError, match="must be one of fp32, fp16, int8, got 'int4'"):
        from_mapping(BundleConfig, {"bundle": "wipe-rdp", "precision": "int4"}, "params")


def test_a_node_without_its_engine_runs_the_reference_and_says_what_is_lost(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    config = from_mapping(BundleConfig, {"bundle": "wipe-rdp", "precision": "int8"}, "params")
    node = SimpleNamespace(config=config, get_logger=lambda: logging.getLogger("node"))
    bundle = load_bundle(node, find_bundle("wipe-rdp"), ("encoder", "fast_head", "planner"))
    assert set(bundle.engines) == {"encoder", "fast_head"}
    warnings = [record.getMessage() for record in caplog.records]
    assert len(warnings) == len(bundle.engines)
    assert all("no engine for" in text and "fp32: no less exact, and slower" in text for text in warnings)


def test_a_planner_with_a_cache_samples_as_the_cache_says_and_takes_no_other(tmp_path):
    pytest.importorskip("onnx", reason="denoisers are cut by 'onnx', which is not installed: pip install -r requirements/engines.txt")
    folder, bundle = find_bundle("wipe-rdp-transformer"), Bundle.load("wipe-rdp-transformer")
    graphs, path = cut((folder / "denoiser.onnx").read_bytes(), "it"), tmp_path / "some.cache"
    DenoiserCache(CacheKey.of(bundle, chosen(bundle.card.generator, "ddpm", 12)), uniform(tuple(graphs.blocks), 12, 3), graphs).save(path)

    seen = np.zeros(bundle.card.feature_size, np.float32), np.zeros(bundle.card.low_dim_size)
    expected = DiffusionPolicy(bundle, 4, sampler="ddpm", steps=12, cache=path).plan(*seen)
    np.testing.assert_array_equal(planner_of("wipe-rdp-transformer", cache=str(path)).plan(*seen), expected)
    with pytest.raises(ConfigError, match="is for denoiser"):
        planner_of("wipe-rdp", cache=str(path))
    with pytest.raises(ConfigError, match="knows nothing of"):
        planner_of("wipe-rdp-transformer", cache=str(path), remote="ws://127.0.0.1:9")


def test_a_planner_joins_chunks_as_its_node_is_told():
    states = StateArrays.of([RobotState(0.005 * i, np.eye(4), np.zeros(6), np.zeros(4), np.zeros(16)) for i in range(300)])
    features = np.zeros(64, np.float32)
    plain, joined = planner_of("wipe-chunk"), planner_of("wipe-chunk", join="prefix")
    for stamp_s in (0.5, 0.7):
        chunks = [policy.infer(features, states, stamp_s).data for policy in (plain, joined)]
        assert np.array_equal(*chunks) == (stamp_s == 0.5)
    with pytest.raises(ConfigError, match="join 'guided' needs the gradient"):
        planner_of("wipe-chunk", join="guided")
    with pytest.raises(ConfigError, match="knows nothing of caches or of chunks before"):
        planner_of("wipe-chunk", join="ensemble", remote="ws://127.0.0.1:9")
