"""ONNX Runtime on the CPU: the reference, and what runs int8 without a GPU."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.engines.port import Engine
from tactus_core.errors import BundleError, ConfigError
from tactus_core.policy.specs import GraphSpec, signature

_DTYPES = {"tensor(float)": "float32", "tensor(int64)": "int64", "tensor(uint8)": "uint8"}


class OnnxEngine:
    """A session of ONNX Runtime."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def run(self, **inputs: NDArray[Any]) -> NDArray[np.float32]:
        """See `Engine`."""
        return self._session.run(None, inputs)[0]


class OnnxRuntime:
    """The `Backend` of the CPU: an engine is an ONNX file."""

    def version(self) -> str:
        """See `Backend`."""
        import onnxruntime  # imported on use: cards are read where nothing is inferred

        return onnxruntime.__version__

    def device(self, compute_capability: str) -> str:
        """See `Backend`."""
        if compute_capability:
            raise ConfigError(
                f"compute capability {compute_capability} is a GPU's, and the backend is ONNX Runtime on the CPU. Leave one out."
            )
        return "cpu"

    def build(self, onnx: bytes, graph: GraphSpec, device: str) -> bytes:
        """See `Backend`."""
        return onnx

    def open(self, engine: bytes, graph: GraphSpec, threads: int) -> Engine:
        """See `Backend`."""
        return OnnxEngine(cpu_session(engine, graph, threads, graph.file))


def cpu_session(onnx: bytes, graph: GraphSpec, threads: int, source: str, as_written: bool = False) -> Any:
    """Return a session that runs `onnx` on the CPU; raises BundleError, which names the source, where it is not as the card says.

    as_written: node by node, nothing fused.
    """
    session = unchecked_session(onnx, threads, source, as_written)
    check_signature(session, graph, source)
    return session


def unchecked_session(onnx: bytes, threads: int, source: str, as_written: bool = False) -> Any:
    """Return a session of a graph that no card describes; see `cpu_session`."""
    import onnxruntime

    options = session_options()
    options.intra_op_num_threads = threads
    if as_written:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no base class
        raise BundleError(f"{source}: ONNX Runtime {onnxruntime.__version__} cannot load it: {error}. Export the bundle again.") from None


def session_options() -> Any:
    """Return the options that all sessions share."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # Cores are shared with the real-time processes: waiting threads sleep, they do not spin.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options


def check_signature(session: Any, graph: GraphSpec, source: str) -> None:
    """Raise BundleError where a session's inputs and outputs are not those of `graph`."""
    for side, nodes, specs in (("inputs", session.get_inputs(), graph.inputs), ("outputs", session.get_outputs(), graph.outputs)):
        got = [(n.name, tuple(d if isinstance(d, int) else -1 for d in n.shape), _DTYPES.get(n.type, n.type)) for n in nodes]
        if got != signature(specs):
            raise BundleError(f"{source}: {side} are {got}, the card says {signature(specs)}. Export the bundle again.")
