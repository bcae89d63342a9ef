"""Bundles on backend torch: the reference's numbers, their gradient, and chunks that are guided by it."""

import sys

import numpy as np
import onnx
import pytest
from conftest import DDIM, make_state, write_bundle
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

pytest.importorskip("torch", reason="backend torch needs torch, which is not installed here: pip install -r requirements/train.txt")

from tactus_core.engines.making import build, find_backend, key_of, open_graph
from tactus_core.engines.port import EngineConfig
from tactus_core.errors import BundleError, ConfigError, SetupError
from tactus_core.history import StateArrays
from tactus_core.policy.bundle import Bundle, example_observation, find_bundle
from tactus_core.policy.joining import continued
from tactus_core.policy.slow import DiffusionPolicy
from tactus_core.policy.specs import ChunkSpec, FlowSpec
from tactus_core.types import ChunkKind

TORCH = EngineConfig("torch")
STATES = StateArrays.of([make_state(0.005 * i) for i in range(600)])


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def on_torch(folder, graphs=None):
    """Return a bundle on engines that were just built."""
    card, backend = Bundle.load(folder).card, find_backend("torch")
    for name in graphs or card.graphs:
        graph = card.graphs[name]
        build(folder / graph.file, graph, key_of(graph, TORCH, backend), [example_observation(card)[name]])
    return Bundle.load(folder, TORCH, graphs=graphs)


@pytest.fixture(scope="module", params=["wipe-chunk", "wipe-rdp-transformer"])
def shipped(request, cache):
    """A U-Net or a transformer, by the reference and by torch."""
    return Bundle.load(request.param, graphs=("denoiser",)), on_torch(find_bundle(request.param), ("denoiser",)).engines["denoiser"]


@given(seed=st.integers(0, 2**31))
@settings(max_examples=3, deadline=None)
def test_the_gradient_is_that_of_what_runs(shipped, seed):
    """Against differences of what ONNX Runtime makes of inputs next to each other."""
    rng, (exact, engine) = np.random.default_rng(seed), shipped
    inputs = example_observation(exact.card)["denoiser"]
    sample = rng.standard_normal(inputs["sample"].shape).astype(np.float32)
    along, v = (rng.standard_normal(sample.shape).astype(np.float32) for _ in range(2))
    output, back = engine.vjp("sample", **{**inputs, "sample": sample})
    ahead, behind = (exact.run("denoiser", **{**inputs, "sample": sample + step * along}) for step in (1e-2, -1e-2))
    np.testing.assert_allclose(output, exact.run("denoiser", **{**inputs, "sample": sample}), atol=1e-4)
    assert np.sum(v * (ahead - behind)) / 2e-2 == pytest.approx(np.sum(back(v) * along), rel=0.02, abs=0.02)


@pytest.mark.parametrize("generator", [DDIM, FlowSpec(6)])
@pytest.mark.parametrize("past_steps", [0, 2])
def test_a_guided_chunk_goes_on_from_the_last_one(tmp_path, generator, past_steps):
    folder = write_bundle(tmp_path / "tiny", ChunkKind.ACTION, generator=generator, chunk=ChunkSpec(0.05, 32, past_steps))
    bundle, features = on_torch(folder), np.zeros(3, np.float32)
    chunks = {}
    for join in ("replace", "guided"):
        policy = DiffusionPolicy(bundle, join=join)
        chunks[join] = [policy.infer(features, STATES, t) for t in (0.5, 0.93)]
    np.testing.assert_array_equal(chunks["guided"][0].data, chunks["replace"][0].data)
    before = continued(chunks["guided"][0], 0.93, np.eye(4), bundle.card)
    apart = {join: np.abs(second.data[: len(before)] - before).mean(axis=1) for join, (_, second) in chunks.items()}
    assert apart["guided"][:5].max() < 0.2 * apart["replace"][:5].mean()


def test_what_torch_cannot_do_is_refused(tmp_path, monkeypatch):
    folder = write_bundle(tmp_path / "tiny", ChunkKind.LATENT)
    card, backend = Bundle.load(folder).card, find_backend("torch")
    graph = card.graphs["encoder"]
    with pytest.raises(ConfigError, match="fp32, which its gradients need, not in int8"):
        open_graph(folder / graph.file, graph, EngineConfig("torch", "int8"))
    with pytest.raises(ConfigError, match="compute capability"):
        backend.device("8.9")
    # Its GRU resets before the product, as none of torch's does.
    with pytest.raises(BundleError, match=r"fast_head\.onnx: node .*\(GRU\) does not run on torch"):
        on_torch(folder)
    strange = helper.make_graph([helper.make_node("Det", ["x"], ["y"])], "strange", *([
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)] for name, shape in (("x", [2, 2]), ("y", []))))  # fmt: skip
    with pytest.raises(BundleError, match="operators that backend torch does not know: Det"):
        backend.build(
            helper.make_model(strange, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString(), graph, "cpu"
        )
    monkeypatch.setitem(sys.modules, "tactus_models.torch_engine", None)
    with pytest.raises(SetupError, match=r"pip install -r requirements/train.txt"):
        find_backend("torch")
