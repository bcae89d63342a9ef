"""ONNX Runtime on an NVIDIA GPU: inputs stay bound on the device, and a graph of fixed shapes is one CUDA graph."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.engines.onnx_runtime import OnnxEngine, OnnxRuntime, check_signature, session_options
from tactus_core.engines.port import Engine
from tactus_core.errors import BundleError, ConfigError, SetupError
from tactus_core.policy.specs import GraphSpec

_PROVIDER = "CUDAExecutionProvider"


class OnnxRuntimeCuda(OnnxRuntime):
    """The `Backend`: an engine is an ONNX file, for any GPU."""

    def device(self, compute_capability: str) -> str:
        """See `Backend`."""
        import onnxruntime

        if compute_capability:
            raise ConfigError("ONNX Runtime's engines are for any GPU: leave --compute-capability out.")
        if _PROVIDER not in onnxruntime.get_available_providers():
            raise SetupError(
                f"this ONNX Runtime ({onnxruntime.__version__}) has no CUDA, only {', '.join(onnxruntime.get_available_providers())}. "
                "Where there is an NVIDIA GPU: pip uninstall onnxruntime, then pip install -r requirements/gpu.txt."
            )
        return "cuda"

    def open(self, engine: bytes, graph: GraphSpec, threads: int) -> Engine:
        """See `Backend`."""
        fixed = all(size > 0 for spec in (*graph.inputs, *graph.outputs) for size in spec.shape)
        if not fixed:
            return OnnxEngine(_session(engine, graph, captured=False))
        try:
            return _BoundEngine(_session(engine, graph, captured=True), graph)
        except BundleError:  # a node without a kernel for the GPU runs on the CPU, which a CUDA graph cannot hold
            return _BoundEngine(_session(engine, graph, captured=False), graph)


def _session(onnx: bytes, graph: GraphSpec, captured: bool) -> Any:
    import onnxruntime

    # TF32 has ten bits of mantissa: it would not be fp32.
    options = {"enable_cuda_graph": str(int(captured)), "use_tf32": "0"}
    try:
        session = onnxruntime.InferenceSession(onnx, session_options(), providers=[(_PROVIDER, options)])
    except Exception as error:  # onnxruntime's own exceptions share no base class
        raise BundleError(f"{graph.file}: ONNX Runtime {onnxruntime.__version__} cannot run it on the GPU: {error}.") from None
    if _PROVIDER not in session.get_providers():
        raise SetupError("ONNX Runtime found no usable CUDA on this machine, and would go on on the CPU. Look above for what it lacks.")
    check_signature(session, graph, graph.file)
    return session


class _BoundEngine:
    """Runs with inputs and output at fixed places on the device; an input that has not changed is not sent again."""

    def __init__(self, session: Any, graph: GraphSpec) -> None:
        import onnxruntime

        def on_device(spec: Any) -> Any:
            return onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(spec.shape, spec.dtype), "cuda", 0)

        self._session = session
        self._inputs = {spec.name: on_device(spec) for spec in graph.inputs}
        self._sent: dict[str, NDArray[Any]] = {}
        self._output = on_device(graph.outputs[0])
        self._binding = session.io_binding()
        for name, value in self._inputs.items():
            self._binding.bind_ortvalue_input(name, value)
        self._binding.bind_ortvalue_output(graph.outputs[0].name, self._output)

    def run(self, **inputs: NDArray[Any]) -> NDArray[np.float32]:
        """See `Engine`."""
        for name, values in inputs.items():
            # A plan's condition is the same for all of its denoising steps; looking costs less than sending.
            if not np.array_equal(values, self._sent.get(name, np.empty(0))):
                self._inputs[name].update_inplace(np.ascontiguousarray(values))
                self._sent[name] = values.copy()
        self._session.run_with_iobinding(self._binding)
        return self._output.numpy()
