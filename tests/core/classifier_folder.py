"""A classifier that loads and runs: an image shows success as far as its mean is above a value, whatever is felt."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tactus_core.learning.classifier import CARD, GRAPH, ClassifierCard, dump_classifier_card
from tactus_core.policy.card import file_sha256
from tactus_core.policy.signals import JointsSpec, ObservedSpec
from tactus_core.policy.specs import FileSpec


def write_classifier(folder, value=199.0, robot="testbot", **changes):
    """Write a classifier of task `wipe`; an image whose mean is `value` has probability 0.5."""
    folder.mkdir(parents=True, exist_ok=True)
    fields = {
        "name": folder.name,
        "version": "1",
        "task": "wipe",
        "robot": robot,
        "joints": JointsSpec(7, 16),
        "licence": "none",
        "camera": "wrist",
        "image": (96, 96, 3),
        "low_dim": (ObservedSpec("tcp_pose", (0.0,)), ObservedSpec("wrench", (0.0, -0.1))),
        "threshold": 0.8,
        "frames": 2,
        "gap_s": 0.3,
        "measured": {},
        "training": {},
    }
    card = ClassifierCard(**{**fields, "graph": FileSpec(GRAPH, ""), **changes})
    inputs, outputs = card.tensors
    constants = {"axes": np.array([1, 2, 3]), "shape": np.array([1, 1]), "w": np.zeros((card.low_dim_size, 1), np.float32)}
    constants["bias"] = np.array([[-value]], np.float32)
    nodes = [
        helper.make_node("Cast", ["image"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["real", "axes"], ["mean"], keepdims=0),
        helper.make_node("Reshape", ["mean", "shape"], ["seen"]),
        helper.make_node("MatMul", ["low_dim", "w"], ["felt"]),
        helper.make_node("Sum", ["seen", "felt", "bias"], ["logit"]),
    ]
    kinds = {"uint8": TensorProto.UINT8, "float32": TensorProto.FLOAT}
    given, made = ([helper.make_tensor_value_info(t.name, kinds[t.dtype], t.shape) for t in side] for side in (inputs, outputs))
    kept = [numpy_helper.from_array(values, name) for name, values in constants.items()]
    graph = helper.make_graph(nodes, "classifier", given, made, kept)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), folder / GRAPH)
    dump_classifier_card(ClassifierCard(**{**fields, "graph": FileSpec(GRAPH, file_sha256(folder / GRAPH)), **changes}), folder / CARD)
    return folder
