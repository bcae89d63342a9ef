"""Tiny bundles with the real contract, a robot, and states; written by the `onnx` helper API."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tactus_core.policy.card import Card, dump_card, file_sha256
from tactus_core.policy.graphs import TWIST_SIZE, standard_graphs
from tactus_core.policy.signals import CommandedSpec, JointsSpec, ObservedSpec
from tactus_core.policy.specs import (
    CameraSpec,
    ChunkSpec,
    DiffusionSpec,
    FileSpec,
    GraphSpec,
    GroupSpec,
    LatentSpec,
    ObservationSpec,
    StreamSpec,
)
from tactus_core.types import ChunkKind, RobotDescription, RobotState

FEATURES = 3
BEFORE_S = (-0.1, -0.2, -0.3)
# As the shipped bundles have it: 76 numbers.
LOW_DIM = (
    ObservedSpec("tcp_pose", (0.0,)),
    ObservedSpec("tcp_pose_relative", BEFORE_S),
    ObservedSpec("wrench", (0.0, *BEFORE_S)),
    ObservedSpec("fingertip_force", (0.0, *BEFORE_S)),
)
ONE_CAMERA = {"wrist": CameraSpec((96, 96, 3), (0.0,))}
DDIM = DiffusionSpec(
    clip_sample=None,
    clip_noise=True,
    train_steps=100,
    schedule="squaredcos_cap_v2",
    prediction="epsilon",
    sampler="ddim",
    inference_steps=8,
)
HIDDEN = 64
_DTYPES = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "uint8": TensorProto.UINT8}


def _constant(name, values):
    return numpy_helper.from_array(np.asarray(values), name)


def _nodes(graph, inputs, outputs, card, gain):
    rng = np.random.default_rng(1)

    def weights(*shape):
        return (0.1 * rng.standard_normal(shape)).astype(np.float32)

    if graph == "encoder":
        nodes, axes = [], np.arange(1, len(inputs[0].shape) - 1)
        for spec in inputs:
            nodes.append(helper.make_node("Cast", [spec.name], [f"{spec.name}_real"], to=TensorProto.FLOAT))
            nodes.append(helper.make_node("ReduceMean", [f"{spec.name}_real", "axes"], [f"{spec.name}_mean"], keepdims=0))
        return [*nodes, helper.make_node("Sum", [f"{spec.name}_mean" for spec in inputs], ["features"])], [_constant("axes", axes)]
    if graph == "denoiser":
        return [helper.make_node("Mul", ["sample", "half"], [outputs[0].name])], [_constant("half", np.float32(0.5))]
    if graph == "planner":
        (condition,), (sample,) = inputs, outputs
        nodes = [helper.make_node("MatMul", ["condition", "w"], ["flat"]), helper.make_node("Reshape", ["flat", "shape"], ["sample"])]
        return nodes, [_constant("w", weights(condition.shape[1], np.prod(sample.shape))), _constant("shape", np.array(sample.shape))]
    if graph == "residual":
        nodes = [helper.make_node("MatMul", ["observation", "w"], ["sum"]), helper.make_node("Tanh", ["sum"], ["correction"])]
        return nodes, [_constant("w", np.float32(gain) * weights(inputs[0].shape[1], TWIST_SIZE))]
    latent_size = int(np.prod(card.sample_shape))
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
        _constant("w", weights(1, 3 * HIDDEN, card.latent.window_size)),
        _constant("r", weights(1, 3 * HIDDEN, HIDDEN)),
        _constant("out", weights(HIDDEN, card.action_size)),
        _constant("from_latent", weights(latent_size, card.action_size)),
        _constant("upright", upright),
        _constant("hidden_shape", np.array([1, HIDDEN])),
        _constant("latent_shape", np.array([1, latent_size])),
    ]
    return nodes, constants


def _write_graph(path, graph, inputs, outputs, card, gain):
    def value(spec):
        return helper.make_tensor_value_info(spec.name, _DTYPES[spec.dtype], ["n" if d == -1 else d for d in spec.shape])

    nodes, constants = _nodes(graph, inputs, outputs, card, gain)
    made = helper.make_graph(nodes, graph, [value(s) for s in inputs], [value(s) for s in outputs], constants)
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)


def write_bundle(folder: Path, kind: ChunkKind, robot: str = "testbot", gain: float = 0.0, **changes) -> Path:
    """Write a bundle that loads and runs; its policy means nothing. changes: of the card, before its graphs are written.

    gain: of the residual's network, 0 for one that corrects nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    latency_s = {"arm": 0.0, "hand": 0.05}
    draft = Card(
        name=folder.name,
        version="1",
        kind=kind,
        task="wipe",
        robot=robot,
        joints=JointsSpec(7, 16),
        licence="Apache-2.0",
        graphs={},
        normaliser=FileSpec("", ""),
        observation=ObservationSpec(ONE_CAMERA, LOW_DIM),
        action=(CommandedSpec("arm", "tcp_pose_relative"), CommandedSpec("hand", "press")),
        groups={name: GroupSpec(latency) for name, latency in latency_s.items()},
        chunk=ChunkSpec(dt_s=0.05, steps=32, past_steps=0),
        latent=LatentSpec(steps=8, channels=4, window_dt_s=0.02) if kind is ChunkKind.LATENT else None,
        generator=DDIM,
        streams={},
        training={"seeds": [0, 1]},
        replan_s=0.5,
        validity_s=1.2,
    )
    draft = replace(draft, **changes)
    if not draft.streams:
        waits, holds = StreamSpec(0.3, "wait"), StreamSpec(0.05, "hold")
        draft = replace(draft, streams={name: holds if name in draft.feels else waits for name in draft.needs})
    graphs = {}
    for name, (inputs, outputs) in standard_graphs(draft, FEATURES if draft.observation.cameras else 0).items():
        path = folder / f"{name}.onnx"
        _write_graph(path, name, inputs, outputs, draft, gain)
        graphs[name] = GraphSpec(path.name, file_sha256(path), inputs, outputs)
    sizes = {"low_dim": draft.low_dim_size, "action": draft.action_size}
    if draft.observation.encoders:
        sizes["encoded"] = draft.observation.encoded_size
    if draft.latent:
        sizes |= {"window": draft.latent.window_size, "latent": draft.latent.channels}
    if draft.residual:
        sizes["residual"] = draft.low_dim_size + TWIST_SIZE
    normaliser = folder / "normaliser.json"
    normaliser.write_text(json.dumps({name: {"offset": [0.0] * size, "scale": [1.0] * size} for name, size in sizes.items()}))
    card = replace(draft, graphs=graphs, normaliser=FileSpec(normaliser.name, file_sha256(normaliser)))
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
