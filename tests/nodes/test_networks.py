"""Nodes that run networks: their parameters, and what they do without the engine that they were asked for."""

import logging
from types import SimpleNamespace

import pytest

from tactus_core.config import from_mapping
from tactus_core.errors import ConfigError
from tactus_core.policy.bundle import find_bundle
from tactus_nodes.networks import BundleConfig, load_bundle


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
