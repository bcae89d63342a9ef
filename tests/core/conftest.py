"""Tiny bundles with the real contract, a robot, and states; written by the `onnx` helper API."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tactus_core.policy.card import (
    ACTION_SIZE,
    GROUPS,
    LOW_DIM_SIZE,
    STREAMS,
    WINDOW_SIZE,
    Card,
    ChunkSpec,
    DiffusionSpec,
    FileSpec,
    GraphSpec,
    GroupSpec,
    LatentSpec,
    StreamSpec,
    dump_card,
    file_sha256,
    standard_graphs,
)
from tactus_core.policy.residual_spec import TWIST_SIZE, ResidualSpec
from tactus_core.types import ChunkKind, RobotDescription, RobotState

FEATURES = 3
HIDDEN = 64
_DTYPES = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "uint8": TensorProto.UINT8}


def _constant(name, values):
    return numpy_helper.from_array(np.asarray(values), name)


def _nodes(graph, latent_size, gain):
    rng = np.random.default_rng(1)

    def weights(*shape):
        return (0.1 * rng.standard_normal(shape)).astype(np.float32)

    if graph == "encoder":
        nodes = [
            helper.make_node("Cast", ["image"], ["real"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["real", "axes"], ["features"], keepdims=0),
        ]
        return nodes, [_constant("axes", np.array([1, 2]))]
    if graph == "denoiser":
        return [helper.make_node("Mul", ["sample", "half"], ["noise"])], [_constant("half", np.float32(0.5))]
    if graph == "residual":
        nodes = [helper.make_node("MatMul", ["observation", "gain"], ["sum"]), helper.make_node("Tanh", ["sum"], ["correction"])]
        return nodes, [_constant("gain", np.float32(gain) * weights(LOW_DIM_SIZE + TWIST_SIZE, TWIST_SIZE))]
    nodes = [
        helper.make_node("Transpose", ["window"], ["rows"], perm=[1, 0, 2]),
        helper.make_node("GRU", ["rows", "w", "r"], ["", "h"], hidden_size=HIDDEN),
        helper.make_node("Reshape", ["h", "hidden_shape"], ["hidden"]),
        helper.make_node("MatMul", ["hidden", "out"], ["of_touch"]),
        helper.make_node("Reshape", ["latent", "latent_shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "from_latent"], ["of_latent"]),
        helper.make_node("Sum", ["of_touch", "of_latent", "upright"], ["action"]),
    ]
    upright = np.array([[0, 0, 0, 1, 0, 0, 0, 1, 0, 0.5]], np.float32)
    constants = [
        _constant("w", weights(1, 3 * HIDDEN, WINDOW_SIZE)),
        _constant("r", weights(1, 3 * HIDDEN, HIDDEN)),
        _constant("out", weights(HIDDEN, ACTION_SIZE)),
        _constant("from_latent", weights(latent_size, ACTION_SIZE)),
        _constant("upright", upright),
        _constant("hidden_shape", np.array([1, HIDDEN])),
        _constant("latent_shape", np.array([1, latent_size])),
    ]
    return nodes, constants


def _write_graph(path, graph, inputs, outputs, latent_size, gain):
    def value(spec):
        return helper.make_tensor_value_info(spec.name, _DTYPES[spec.dtype], ["n" if d == -1 else d for d in spec.shape])

    nodes, constants = _nodes(graph, latent_size, gain)
    made = helper.make_graph(nodes, graph, [value(s) for s in inputs], [value(s) for s in outputs], constants)
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)


def write_bundle(folder: Path, kind: ChunkKind, robot: str = "testbot", residual: ResidualSpec | None = None, gain: float = 0.0) -> Path:
    """Write a bundle that loads and runs; its policy means nothing. gain: of the residual's network, 0 for one that corrects nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    latent = LatentSpec(steps=8, channels=4) if kind is ChunkKind.LATENT else None
    shape = (latent.steps, latent.channels) if latent else (32, ACTION_SIZE)
    graphs = {}
    for name, (inputs, outputs) in standard_graphs(kind, FEATURES, shape, residual is not None).items():
        path = folder / f"{name}.onnx"
        _write_graph(path, name, inputs, outputs, int(np.prod(shape)), gain)
        graphs[name] = GraphSpec(path.name, file_sha256(path), inputs, outputs)
    sizes = {"low_dim": LOW_DIM_SIZE, "action": ACTION_SIZE}
    if latent:
        sizes |= {"window": WINDOW_SIZE, "latent": latent.channels}
    if residual:
        sizes["residual"] = LOW_DIM_SIZE + TWIST_SIZE
    normaliser = folder / "normaliser.json"
    normaliser.write_text(json.dumps({name: {"offset": [0.0] * size, "scale": [1.0] * size} for name, size in sizes.items()}))
    latency_s = {"arm": 0.0, "hand": 0.05}
    card = Card(
        name=folder.name,
        version="1",
        kind=kind,
        task="wipe",
        robot=robot,
        licence="Apache-2.0",
        graphs=graphs,
        normaliser=FileSpec(normaliser.name, file_sha256(normaliser)),
        chunk=ChunkSpec(dt_s=0.05, steps=32),
        latent=latent,
        diffusion=DiffusionSpec(clip_sample=None, train_steps=100, schedule="squaredcos_cap_v2", prediction="epsilon", inference_steps=8),
        groups={name: GroupSpec(channels, latency_s[name]) for name, channels in GROUPS.items()},
        streams={name: StreamSpec(0.05 if name != "image" else 0.3, "hold" if name != "image" else "wait") for name in STREAMS},
        training={"seeds": [0, 1]},
        window_dt_s=0.02,
        replan_s=0.5,
        validity_s=1.2,
        lookback_s=0.3,
        residual=residual,
    )
    dump_card(card, folder / "card.yaml")
    return folder


@pytest.fixture
def latent_bundle(tmp_path):
    return write_bundle(tmp_path / "tiny-latent", ChunkKind.LATENT)


@pytest.fixture
def action_bundle(tmp_path):
    return write_bundle(tmp_path / "tiny-action", ChunkKind.ACTION)


@pytest.fixture(scope="session")
def robot():
    return RobotDescription(
        name="testbot",
        urdf=lambda: Path("none.urdf"),
        base_frame="base",
        tcp_frame="tcp",
        arm_joints=[f"a{i}" for i in range(7)],
        hand_joints=[f"h{i}" for i in range(16)],
        q_home_rad=np.zeros(7),
        hand_rest_rad=np.zeros(16),
        hand_grip_rad=np.ones(16),
    )


def make_state(stamp_s: float, T: np.ndarray | None = None, force_N: float = 0.0) -> RobotState:
    wrench = np.array([0, 0, -force_N, 0, 0, 0], dtype=float)
    return RobotState(stamp_s, np.eye(4) if T is None else T, wrench, np.full(4, force_N / 4), np.zeros(16))
