"""Graphs of several bundles as one: each keeps its nodes and weights, and is wired to shared inputs and one output."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tactus_core.errors import BundleError, SetupError
from tactus_core.policy.specs import TensorSpec

# An input of one parent: the shared input that it is taken from, and, where not all of that, the axis and the indices. A single index
# takes the axis away.
Source = tuple[str, int | None, Any]


class Merger:
    """Takes graphs in, one after the other, and gives one out. raises SetupError without the package `onnx`."""

    def __init__(self, inputs: tuple[TensorSpec, ...]) -> None:
        try:
            import onnx
            import onnx.compose
        except ImportError:
            raise SetupError("composing bundles needs 'onnx', which is not installed: pip install -r requirements/engines.txt") from None
        self._onnx, self._inputs = onnx, inputs
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._outputs: list[str] = []
        self._versions: set[tuple[int, tuple[tuple[str, int], ...]]] = set()

    def add(self, onnx: bytes, sources: dict[str, Source]) -> None:
        """Take a graph of one output in; sources: of each of its inputs, by name."""
        model = self._onnx.load_model_from_string(onnx)
        self._versions.add((model.ir_version, tuple(sorted((of.domain, of.version) for of in model.opset_import))))
        prefix = f"of{len(self._outputs)}/"
        graph = self._onnx.compose.add_prefix_graph(model.graph, prefix)
        for name, (shared, axis, indices) in sources.items():
            self._wire(shared, axis, indices, prefix + name)
        self._nodes += graph.node
        self._constants += graph.initializer
        self._outputs.append(graph.output[0].name)

    def concatenated(self, output: TensorSpec) -> bytes:
        """Return the graph whose output is what all gave, side by side along the last axis."""
        return self._model([*self._nodes, self._onnx.helper.make_node("Concat", self._outputs, [output.name], axis=-1)], output)

    def weighted(self, weights: Sequence[float], output: TensorSpec) -> bytes:
        """Return the graph whose output is the weighted sum of what all gave."""
        nodes, parts = list(self._nodes), []
        for given, weight in zip(self._outputs, weights, strict=True):
            share = self._constant(f"{given}/weight", np.float32(weight))
            parts.append(f"{given}/weighted")
            nodes.append(self._onnx.helper.make_node("Mul", [given, share], parts[-1:]))
        return self._model([*nodes, self._onnx.helper.make_node("Sum", parts, [output.name])], output)

    def _wire(self, shared: str, axis: int | None, indices: Any, name: str) -> None:
        if axis is None:
            self._nodes.append(self._onnx.helper.make_node("Identity", [shared], [name]))
            return
        chosen = self._constant(f"{name}/indices", np.asarray(indices, dtype=np.int64))
        self._nodes.append(self._onnx.helper.make_node("Gather", [shared, chosen], [name], axis=axis))

    def _constant(self, name: str, values: Any) -> str:
        self._constants.append(self._onnx.numpy_helper.from_array(np.asarray(values), name))
        return name

    def _model(self, nodes: list[Any], output: TensorSpec) -> bytes:
        if len(self._versions) > 1:
            raise BundleError(
                f"the graphs are of different versions of ONNX, (IR, operators): {sorted(self._versions)}. Export the bundles again "
                "with this version of Tactus."
            )
        ((ir_version, opsets),) = self._versions
        helper = self._onnx.helper
        values = [
            helper.make_tensor_value_info(spec.name, helper.np_dtype_to_tensor_dtype(np.dtype(spec.dtype)), spec.shape)
            for spec in (*self._inputs, output)
        ]
        graph = helper.make_graph(nodes, "composed", values[:-1], values[-1:], self._constants)
        made: bytes = helper.make_model(
            graph, opset_imports=[helper.make_opsetid(*opset) for opset in opsets], ir_version=ir_version
        ).SerializeToString()
        return made
