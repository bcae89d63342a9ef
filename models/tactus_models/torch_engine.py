"""A bundle's graphs in torch: an engine that knows its gradient, which guided real-time chunking asks for.

The graph itself is run, node by node, and not the networks that it was exported from: so imported bundles run as well, and a
bundle needs to say nothing of its networks. There is a library for that, onnx2torch; it has stood still since 2024, and lacks the GRU of
fast heads. Whether an operator does what it should is not taken on trust: like every engine, these are opened only where they reproduce
their proofs.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx as onnx_format
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor

from tactus_core.engines.onnx_runtime import session_options
from tactus_core.engines.port import Engine
from tactus_core.errors import BundleError, ConfigError
from tactus_core.policy.specs import GraphSpec
from tactus_models.torch_ops import OPERATORS


class TorchBackend:
    """The `Backend`, on the CPU: an engine is an ONNX file with all that is constant computed."""

    def version(self) -> str:
        """See `Backend`."""
        return torch.__version__

    def device(self, compute_capability: str) -> str:
        """See `Backend`."""
        if compute_capability:
            raise ConfigError(f"compute capability {compute_capability} is a GPU's, and the backend is torch on the CPU. Leave one out.")
        return "cpu"

    def build(self, onnx: bytes, graph: GraphSpec, device: str) -> bytes:
        """See `Backend`."""
        folded = _folded(onnx)
        unknown = {node.op_type for node in onnx_format.load_model_from_string(folded).graph.node} - set(OPERATORS)
        if unknown:
            raise BundleError(
                f"{graph.file}: has operators that backend torch does not know: {', '.join(sorted(unknown))}. Choose another."
            )
        return folded

    def open(self, engine: bytes, graph: GraphSpec, threads: int) -> Engine:
        """See `Backend`."""
        torch.set_num_threads(threads)  # of the whole process: torch knows no others
        return TorchEngine(onnx_format.load_model_from_string(engine).graph, graph)


def _folded(onnx: bytes) -> bytes:
    """Return a graph in which ONNX Runtime has computed what hangs on no input, such as shapes; all operators stay ONNX's own."""
    import onnxruntime

    options = session_options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "folded.onnx")
        onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        return Path(options.optimized_model_filepath).read_bytes()


class TorchEngine:
    """A `DifferentiableEngine`."""

    def __init__(self, onnx: Any, graph: GraphSpec) -> None:
        self._graph = graph
        self._constants = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in onnx.initializer}
        self._nodes = [(OPERATORS[node.op_type], node, _attributes(node)) for node in onnx.node]

    def run(self, **inputs: NDArray[Any]) -> NDArray[np.float32]:
        """See `Engine`."""
        with torch.no_grad():
            return self._output({name: torch.tensor(values) for name, values in inputs.items()}).numpy()

    def vjp(self, of: str, **inputs: NDArray[Any]) -> tuple[NDArray[np.float32], Callable[[NDArray[np.float32]], NDArray[np.float32]]]:
        """See `DifferentiableEngine`; the map can be used once."""
        given = {name: torch.tensor(values) for name, values in inputs.items()}
        given[of].requires_grad_()
        output = self._output(given)

        def back(v: NDArray[np.float32]) -> NDArray[np.float32]:
            return torch.autograd.grad(output, given[of], torch.from_numpy(v))[0].numpy()

        return output.detach().numpy(), back

    def _output(self, inputs: Mapping[str, Tensor]) -> Tensor:
        values: dict[str, Any] = {"": None, **self._constants, **inputs}
        for operator, node, attributes in self._nodes:
            try:
                made = operator(*(values[name] for name in node.input), **attributes)
            except (ValueError, TypeError, RuntimeError) as error:
                raise BundleError(f"{self._graph.file}: node '{node.name}' ({node.op_type}) does not run on torch: {error}.") from None
            values.update(zip(node.output, made if isinstance(made, tuple) else (made,), strict=False))
        return values[self._graph.outputs[0].name]


def _attributes(node: Any) -> dict[str, Any]:
    return {attribute.name: _plain(onnx_format.helper.get_attribute_value(attribute)) for attribute in node.attribute}


def _plain(value: Any) -> Any:
    if isinstance(value, onnx_format.TensorProto):
        return torch.from_numpy(numpy_helper.to_array(value).copy())
    return value.decode() if isinstance(value, bytes) else list(value) if not isinstance(value, int | float) else value
