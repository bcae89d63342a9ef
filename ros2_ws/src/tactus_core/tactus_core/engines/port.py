"""What an engine offers, what builds and opens one, and how one is chosen."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tactus_core.config import param
from tactus_core.policy.specs import GraphSpec

BACKENDS = ("onnxruntime", "onnxruntime-cuda", "tensorrt", "tensorrt-rtx", "torch")
PRECISIONS = ("fp32", "fp16", "int8")


@dataclass(frozen=True)
class EngineConfig:
    """What runs a bundle's networks; the default is the reference."""

    backend: str = param("onnxruntime", choices=BACKENDS, doc="What runs the networks; all but onnxruntime and torch need an NVIDIA GPU.")
    precision: str = param("fp32", choices=PRECISIONS, doc="Numbers that the networks compute with.")
    threads: int = param(1, low=1, high=64, doc="Threads of each network on the CPU.")

    @property
    def is_reference(self) -> bool:
        """Whether this is ONNX Runtime on the CPU in fp32, which needs no building."""
        return (self.backend, self.precision) == ("onnxruntime", "fp32")


class Engine(Protocol):
    """A graph that is ready to run."""

    def run(self, **inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Return the graph's only output for its inputs, by name, in the shapes and dtypes of the card; all of it on the host."""
        ...


@runtime_checkable
class DifferentiableEngine(Engine, Protocol):
    """An engine that also knows its gradient."""

    def vjp(self, of: str, **inputs: NDArray[Any]) -> tuple[NDArray[np.float32], Callable[[NDArray[np.float32]], NDArray[np.float32]]]:
        """Return what `run` does, and the map from v, shaped like that, to vᵀ · ∂output/∂input, shaped like the input `of`."""
        ...


class Backend(Protocol):
    """Builds engines for a device, and opens them on it."""

    def version(self) -> str:
        """Return the version of the library that builds and runs; raises SetupError where it is missing."""
        ...

    def device(self, compute_capability: str) -> str:
        """Return what engines are built for: the GPU of this `compute_capability` ("8.9"), or with "" the device of this machine.

        Raises SetupError where this machine has none.
        """
        ...

    def build(self, onnx: bytes, graph: GraphSpec, device: str) -> bytes:
        """Return the engine of an ONNX graph; raises BundleError where the backend cannot build it."""
        ...

    def open(self, engine: bytes, graph: GraphSpec, threads: int) -> Engine:
        """Return the engine, ready; raises BundleError where it does not fit the graph, SetupError where the device is missing."""
        ...
