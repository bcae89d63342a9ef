"""TensorRT, and TensorRT-RTX: one API. The first builds on the GPU that will run the engine; the second builds for any, without one."""

import importlib
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.engines.cuda import Buffer, Stream, compute_capability
from tactus_core.engines.port import Engine
from tactus_core.errors import BundleError, ConfigError, SetupError
from tactus_core.policy.specs import GraphSpec, signature

_MODULES = {"tensorrt": "tensorrt", "tensorrt-rtx": "tensorrt_rtx"}
# The longest input along a dynamic dimension, such as the rows of a fast head's window, and the length to be fastest at.
_MOST, _USUAL = 256, 32


class TensorRt:
    """The `Backend` of both; name: `tensorrt` or `tensorrt-rtx`. Engines are strongly typed: the graph says where fp16 and int8 are."""

    def __init__(self, name: str) -> None:
        self._name = name

    def version(self) -> str:
        """See `Backend`."""
        return self._library().__version__

    def device(self, compute_capability_asked: str) -> str:
        """See `Backend`."""
        if compute_capability_asked and self._name == "tensorrt":
            raise ConfigError("TensorRT builds only for the GPU that it finds. Leave --compute-capability out, or choose tensorrt-rtx.")
        name = "sm_" + (compute_capability_asked or compute_capability()).replace(".", "")
        if self._name == "tensorrt-rtx":
            self._architecture(name)
        return name

    def build(self, onnx: bytes, graph: GraphSpec, device: str) -> bytes:
        """See `Backend`."""
        trt = self._library()
        logger = trt.Logger(trt.Logger.ERROR)
        builder = trt.Builder(logger)
        network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
        parser = trt.OnnxParser(network, logger)
        if not parser.parse(onnx):
            errors = "; ".join(str(parser.get_error(number)) for number in range(parser.num_errors))
            raise BundleError(f"{graph.file}: {self._name} {trt.__version__} cannot read it: {errors}. Choose another backend.")
        config = builder.create_builder_config()
        config.clear_flag(trt.BuilderFlag.TF32)  # ten bits of mantissa: it would not be fp32
        profile = builder.create_optimization_profile()
        for spec in graph.inputs:
            if -1 in spec.shape:
                profile.set_shape(spec.name, *(_with_rows(spec.shape, rows) for rows in (1, _USUAL, _MOST)))
        config.add_optimization_profile(profile)
        if self._name == "tensorrt-rtx":
            config.num_compute_capabilities = 1
            config.set_compute_capability(self._architecture(device), 0)
        plan = builder.build_serialized_network(network, config)
        if plan is None:
            raise BundleError(
                f"{graph.file}: {self._name} {trt.__version__} cannot build it for {device}; its reason is above. Choose another backend."
            )
        return bytes(plan)

    def open(self, engine: bytes, graph: GraphSpec, threads: int) -> Engine:
        """See `Backend`."""
        trt = self._library()
        compute_capability()  # a clear error where there is no GPU
        runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
        loaded = runtime.deserialize_cuda_engine(engine)
        if loaded is None:
            raise BundleError(f"{graph.file}: {self._name} {trt.__version__} cannot open the engine; its reason is above. Build it again.")
        tensors = [loaded.get_tensor_name(number) for number in range(loaded.num_io_tensors)]
        got = [(name, tuple(loaded.get_tensor_shape(name)), np.dtype(trt.nptype(loaded.get_tensor_dtype(name))).name) for name in tensors]
        if sorted(got) != sorted(signature((*graph.inputs, *graph.outputs))):
            raise BundleError(
                f"{graph.file}: the engine has {got}, the card says {signature((*graph.inputs, *graph.outputs))}. Build it again."
            )
        return _GpuEngine(loaded.create_execution_context(), graph, owners=(runtime, loaded))

    def _library(self) -> Any:
        module = _MODULES[self._name]
        try:
            return importlib.import_module(module)
        except ImportError:
            raise SetupError(
                f"backend '{self._name}' needs '{module}', which is not installed: pip install -r requirements/gpu.txt"
            ) from None

    def _architecture(self, device: str) -> Any:
        architectures = self._library().ComputeCapability
        found = getattr(architectures, device.upper().replace("_", ""), None)
        if found is None:
            known = ", ".join(f"{name[2:-1]}.{name[-1]}" for name in architectures.__members__ if name[2:].isdigit())
            raise ConfigError(f"TensorRT-RTX builds for no compute capability as in '{device}'; it knows {known}.")
        return found


def _with_rows(shape: tuple[int, ...], rows: int) -> tuple[int, ...]:
    return tuple(rows if size == -1 else size for size in shape)


class _GpuEngine:
    """Sends inputs, computes and fetches the output on one stream; where all shapes are fixed, as one CUDA graph.

    owners: what has to live as long as the context.
    """

    def __init__(self, context: Any, graph: GraphSpec, owners: tuple[Any, ...]) -> None:
        self._context, self._stream, self._owners = context, Stream(), owners
        self._output = graph.outputs[0]
        self._buffers = {spec.name: Buffer(_with_rows(spec.shape, _MOST), spec.dtype) for spec in (*graph.inputs, self._output)}
        for name, buffer in self._buffers.items():
            context.set_tensor_address(name, buffer.device)
        self._launch = None
        if all(size > 0 for spec in graph.inputs for size in spec.shape):
            queue = partial(self._queue, {spec.name: spec.shape for spec in graph.inputs})
            queue()  # what is made on first use cannot be captured
            self._stream.wait()
            self._launch = self._stream.captured(queue)

    def run(self, **inputs: NDArray[Any]) -> NDArray[np.float32]:
        """See `Engine`."""
        for name, values in inputs.items():
            self._buffers[name].host(values.shape)[...] = values
        if self._launch is not None:
            self._launch()
        else:
            self._queue({name: values.shape for name, values in inputs.items()})
        self._stream.wait()
        return self._buffers[self._output.name].host(self._output.shape).copy()

    def _queue(self, shapes: dict[str, tuple[int, ...]]) -> None:
        for name, shape in shapes.items():
            self._context.set_input_shape(name, shape)
            buffer = self._buffers[name]
            self._stream.send(buffer, buffer.host(shape).nbytes)
        if not self._context.execute_async_v3(int(self._stream.handle)):
            raise BundleError("the engine did not run; its reason is above. Build it again: ./tactus engine.")
        output = self._buffers[self._output.name]
        self._stream.fetch(output, output.host(self._output.shape).nbytes)
