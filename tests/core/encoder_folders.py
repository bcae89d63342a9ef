"""Folders of encoders, of every kind, that load and run; their features mean little."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tactus_core.perception.encoder_card import GRAPH, MATRIX, MEAN, EncoderKind, write_encoder_card

_FIELDS = {"version": "1", "licence": "none", "training": {}}


def write_graph(path, name, dtype, shape, reduce, axes):
    """Write a graph that reduces all but the last axis of one sample: features (1, 3). The given axes are reduced by `reduce`."""
    nodes = [
        helper.make_node("Cast", [name], ["real"], to=TensorProto.FLOAT),
        helper.make_node(reduce, ["real", "axes"], ["features"], keepdims=0),
    ]
    given = helper.make_tensor_value_info(name, dtype, shape)
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, 3])
    made = helper.make_graph(nodes, "encoder", [given], [features], [numpy_helper.from_array(np.array(axes), "axes")])
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)


def write_image(folder, height=24, width=32, stream="image", max_age_s=0.3):
    """Features: the mean colour."""
    folder.mkdir(parents=True, exist_ok=True)
    write_graph(folder / GRAPH, "image", TensorProto.UINT8, [1, height, width, 3], "ReduceMean", [1, 2])
    settings = {"height": height, "width": width}
    fields = _FIELDS | {"name": "mean-colour", "max_age_s": {stream: max_age_s}, "settings": settings}
    return write_encoder_card(folder, kind=EncoderKind.IMAGE, features=3, **fields)


def write_cloud(folder, points=16, **settings):
    """Features: the cloud's highest x, y and z."""
    folder.mkdir(parents=True, exist_ok=True)
    write_graph(folder / GRAPH, "points", TensorProto.FLOAT, [1, points, 3], "ReduceMax", [1])
    fields = _FIELDS | {"name": "corner", "max_age_s": {"depth": 0.3}, "settings": {"points": points} | settings}
    return write_encoder_card(folder, kind=EncoderKind.CLOUD, features=3, **fields)


def write_markers(folder, dots=63, size=15, **settings):
    """Features: random components of the displacements."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    np.save(folder / MEAN, np.zeros(2 * dots, np.float32))
    np.save(folder / MATRIX, np.linalg.qr(rng.normal(size=(2 * dots, size)))[0].astype(np.float32))
    fields = _FIELDS | {"name": "components", "max_age_s": {"touch_image": 0.3}, "settings": {"reference_frames": 2} | settings}
    return write_encoder_card(folder, kind=EncoderKind.MARKERS, features=size, **fields)


def write_hand(folder, robot, links):
    """Features: the vectors to the nearest points."""
    folder.mkdir(parents=True, exist_ok=True)
    fields = _FIELDS | {"name": "nearest", "max_age_s": {"cloud": 1.0, "joint_states": 0.3}, "settings": {"robot": robot}}
    return write_encoder_card(folder, kind=EncoderKind.HAND, features=3 * links, **fields)
