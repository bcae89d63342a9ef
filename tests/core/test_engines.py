"""Engines: the reference runs as before; whatever else runs is built, cached, proven, or refused with a reason."""

import dataclasses

import numpy as np
import onnx
import pytest
from conftest import write_bundle
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from tactus_core.engines import making, stored
from tactus_core.engines.making import build, find_backend, key_of, open_graph, proven_error, reference
from tactus_core.engines.port import EngineConfig
from tactus_core.engines.precision import converted
from tactus_core.engines.stored import EngineKey, Proof, StoredEngine
from tactus_core.errors import BundleError, ConfigError, SetupError
from tactus_core.policy.bundle import Bundle, example_observation
from tactus_core.policy.card import file_sha256
from tactus_core.policy.specs import GraphSpec, TensorSpec
from tactus_core.types import ChunkKind

INT8 = EngineConfig(precision="int8")
KEY = EngineKey("ab" * 32, "onnxruntime", "1.0", "cpu", "int8")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tactus" / "engines"


@pytest.fixture
def network(tmp_path):
    """An encoder like the shipped ones: bytes of an image, turned about, through a convolution and a matrix product."""
    rng = np.random.default_rng(0)
    weights = {"kernel": rng.standard_normal((4, 3, 3, 3)), "matrix": rng.standard_normal((4 * 36, 5))}
    nodes = [
        helper.make_node("Transpose", ["image"], ["turned"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["turned"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["real", "kernel"], ["edges"], name="conv"),
        helper.make_node("Relu", ["edges"], ["bent"]),
        helper.make_node("Reshape", ["bent", "flat_shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["features"], name="product"),
    ]
    constants = [numpy_helper.from_array(values.astype(np.float32), name) for name, values in weights.items()]
    constants.append(numpy_helper.from_array(np.array([1, 144]), "flat_shape"))
    inputs, outputs = (TensorSpec("image", (1, 8, 8, 3), "uint8"),), (TensorSpec("features", (1, 5), "float32"),)
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, inputs[0].shape)],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, outputs[0].shape)],
        constants,
    )
    path = tmp_path / "network.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path, GraphSpec(path.name, file_sha256(path), inputs, outputs)


def images(count):
    rng = np.random.default_rng(1)
    return [{"image": rng.integers(0, 256, (1, 8, 8, 3)).astype(np.uint8)} for _ in range(count)]


def int8_of(network, observed=None):
    path, graph = network
    backend = find_backend("onnxruntime")
    return build(path, graph, key_of(graph, INT8, backend), images(10) if observed is None else observed)


def test_the_reference_needs_no_engine_and_makes_no_cache(network, cache):
    path, graph = network
    ours, exact = open_graph(path, graph, EngineConfig()), reference(path, graph, 1)
    np.testing.assert_array_equal(ours.run(**images(1)[0]), exact.run(**images(1)[0]))
    assert not cache.exists()


def test_int8_is_built_once_proven_and_found_again(network):
    path, graph = network
    made = int8_of(network)
    assert b"QuantizeLinear" in made.engine
    assert 0 < proven_error(open_graph(path, graph, INT8), made.proofs) < 0.05
    # What it was proven with is not what its scales were made from.
    used = [inputs["image"].tobytes() for index, inputs in enumerate(images(10)) if index % 5]
    assert all(proof.inputs["image"].tobytes() not in used for proof in made.proofs)


def test_what_is_not_built_is_an_error_or_the_reference_with_the_loss_named(network):
    path, graph = network
    with pytest.raises(BundleError, match=r"no engine for onnxruntime .*, cpu, int8 .*there are: none.*Build it: \./tactus engine"):
        open_graph(path, graph, INT8)
    lost = []
    engine = open_graph(path, graph, INT8, lost.append)
    np.testing.assert_array_equal(engine.run(**images(1)[0]), reference(path, graph, 1).run(**images(1)[0]))
    assert len(lost) == 1
    assert "network.onnx" in lost[0]
    assert "no less exact, and slower" in lost[0]


def test_an_engine_of_another_version_is_named_and_not_used(network, monkeypatch):
    path, graph = network
    int8_of(network)
    monkeypatch.setattr("onnxruntime.__version__", "99.0")
    with pytest.raises(BundleError, match=r"for onnxruntime 99.0, cpu, int8.*there are: .*-onnxruntime-1\.\d+"):
        open_graph(path, graph, INT8)


@given(content=st.binary(max_size=200), values=st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_what_is_stored_comes_back(content, values):
    proof = Proof({"sample": np.array([values]), "image": np.zeros((1, 2), np.uint8)}, np.array(values, np.float32))
    stored.save(StoredEngine(KEY, content, [proof]))
    back = stored.load(KEY)
    assert (back.key, back.engine, len(back.proofs)) == (KEY, content, 1)
    np.testing.assert_array_equal(back.proofs[0].expected, proof.expected)
    assert {name: array.tobytes() for name, array in back.proofs[0].inputs.items()} == {
        name: array.tobytes() for name, array in proof.inputs.items()
    }


@given(place=st.integers(0, 10**6), bit=st.integers(0, 7), cut=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_damaged_engine_is_never_opened(place, bit, cut):
    path = stored.save(StoredEngine(KEY, b"engine" * 20, [Proof({"x": np.ones(3)}, np.ones(3, np.float32))]))
    whole = path.read_bytes()
    place %= len(whole)
    changed = bytes([whole[place] ^ (1 << bit)])
    path.write_bytes(whole[:place] if cut else whole[:place] + changed + whole[place + 1 :])
    with pytest.raises(BundleError, match="damaged or cut short"):
        stored.load(KEY)


def test_an_engine_under_anothers_name_is_refused(cache):
    path = stored.save(StoredEngine(KEY, b"", []))
    other = dataclasses.replace(KEY, device="sm_89")
    path.rename(cache / other.file_name)
    with pytest.raises(BundleError, match=r"holds an engine for onnxruntime 1.0, cpu, int8, expected onnxruntime 1.0, sm_89, int8"):
        stored.load(other)


@pytest.mark.parametrize("wrong", ["number", "nan", "shape", "nothing"])
def test_an_engine_that_does_not_prove_itself_is_not_used(network, wrong):
    path, graph = network
    made = int8_of(network)
    expected = {"number": made.proofs[0].expected * 2, "nan": np.full((1, 5), np.nan, np.float32), "shape": np.zeros((1, 4), np.float32)}
    proofs = [] if wrong == "nothing" else [dataclasses.replace(made.proofs[0], expected=expected[wrong])]
    stored.save(dataclasses.replace(made, proofs=proofs))
    with pytest.raises(BundleError, match=r"differs from the reference by .*allowed is 0\.2\. It is not used"):
        open_graph(path, graph, INT8)


def test_fp16_is_for_gpus_and_keeps_its_inputs_and_outputs(network):
    path, graph = network
    with pytest.raises(ConfigError, match="fp16 is for GPUs"):
        open_graph(path, graph, EngineConfig(precision="fp16"), warn=pytest.fail)
    half = converted(path.read_bytes(), "fp16", [], "tensorrt")
    model = onnx.load_model_from_string(half)
    assert {tensor.data_type for tensor in model.graph.initializer if tensor.name in ("kernel", "matrix")} == {TensorProto.FLOAT16}
    assert model.graph.node[0].op_type == "Cast", "TensorRT does nothing with bytes but turn them into numbers"
    # A CPU computes it, by way of fp32: what was converted is right.
    engine, exact = find_backend("onnxruntime").open(half, graph, 1), reference(path, graph, 1)
    inputs = images(4)
    assert 0 < proven_error(engine, [Proof(x, exact.run(**x)) for x in inputs]) < making.TOLERANCES["fp16"]


def test_a_precision_that_costs_too_much_is_not_even_built(network, cache, monkeypatch):
    monkeypatch.setitem(making.TOLERANCES, "int8", 1e-6)
    with pytest.raises(BundleError, match="differs from the reference"):
        int8_of(network)
    assert not cache.exists()


def test_int8_without_real_observations_is_refused(network):
    with pytest.raises(BundleError, match="real episodes"):
        int8_of(network, images(1))


def test_errors_of_what_is_not_there(network):
    path, graph = network
    with pytest.raises(ConfigError, match="no backend 'openvino'; there are onnxruntime,"):
        find_backend("openvino")
    with pytest.raises(ConfigError, match="compute capability"):
        key_of(graph, INT8, find_backend("onnxruntime"), "8.9")
    with pytest.raises(ConfigError, match="only for the GPU that it finds"):
        find_backend("tensorrt").device("8.9")
    onnxruntime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        with pytest.raises(SetupError, match=r"no CUDA.*requirements/gpu.txt"):
            open_graph(path, graph, EngineConfig("onnxruntime-cuda"))


def test_a_missing_library_names_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tensorrt", None)
    with pytest.raises(SetupError, match=r"needs 'tensorrt', which is not installed: pip install -r requirements/gpu.txt"):
        find_backend("tensorrt").version()


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_tensorrt_rtx_builds_without_a_gpu(network, precision):
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed: 230 MB, in requirements/gpu.txt")
    path, graph = network
    backend = find_backend("tensorrt-rtx")
    with pytest.raises(ConfigError, match=r"knows .*8\.9"):
        backend.device("1.0")
    key = key_of(graph, EngineConfig("tensorrt-rtx", precision), backend, "8.9")
    assert key.device == "sm_89"
    build(path, graph, key, images(10))
    assert len(stored.load(key).engine) > 1000
    with pytest.raises(BundleError, match="cannot read it"):
        backend.build(b"no graph", graph, key.device)


@pytest.mark.parametrize("kind", list(ChunkKind))
def test_a_bundle_runs_on_the_engines_that_were_built_for_it(tmp_path, kind):
    folder = write_bundle(tmp_path / "tiny", kind)
    exact = Bundle.load(folder)
    with pytest.raises(BundleError, match="no engine for"):
        Bundle.load(folder, INT8)
    backend = find_backend("onnxruntime")
    for name, graph in exact.card.graphs.items():
        observed = [example_observation(exact.card, rows)[name] for rows in range(1, 11)]
        build(folder / graph.file, graph, key_of(graph, INT8, backend), observed)
    lost = []
    bundle = Bundle.load(folder, INT8, lost.append)
    assert not lost
    for name, inputs in example_observation(bundle.card).items():
        np.testing.assert_allclose(bundle.run(name, **inputs), exact.run(name, **inputs), rtol=0.1, atol=0.1)
