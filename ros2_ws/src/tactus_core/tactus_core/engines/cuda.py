"""What TensorRT needs of a GPU: memory with a twin on the host, a stream, and graphs of what runs on it. Needs cuda-python."""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import DeviceError, SetupError


def runtime() -> Any:
    """Return CUDA's runtime API; raises SetupError where cuda-python is missing."""
    try:
        from cuda.bindings import runtime as cudart
    except ImportError as error:
        raise SetupError(
            f"running on an NVIDIA GPU needs '{error.name}', which is not installed: pip install -r requirements/gpu.txt"
        ) from None
    return cudart


def compute_capability() -> str:
    """Return the compute capability of this machine's first GPU, as "8.9"; raises SetupError where there is none."""
    cudart = runtime()
    _, count = cudart.cudaGetDeviceCount()
    if not count:
        raise SetupError(
            "this machine has no NVIDIA GPU, or no driver of it. Build elsewhere for it with --compute-capability, or choose onnxruntime."
        )
    names = ("cudaDevAttrComputeCapabilityMajor", "cudaDevAttrComputeCapabilityMinor")
    return ".".join(str(_checked(cudart.cudaDeviceGetAttribute(getattr(cudart.cudaDeviceAttr, name), 0))) for name in names)


class Buffer:
    """Memory of a GPU for `shape` of `dtype`, and page-locked memory of the host (`host`) that it is copied from and to.

    Neither is freed before the process ends: an engine lives as long as its policy.
    """

    def __init__(self, shape: tuple[int, ...], dtype: str) -> None:
        cudart, self.dtype = runtime(), np.dtype(dtype)
        size = int(np.prod(shape)) * self.dtype.itemsize
        self.device = int(_checked(cudart.cudaMalloc(size)))
        address = int(_checked(cudart.cudaHostAlloc(size, cudart.cudaHostAllocDefault)))
        self._bytes = np.ctypeslib.as_array((ctypes.c_ubyte * size).from_address(address))

    def host(self, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return the beginning of the host's memory as an array of `shape`."""
        size = int(np.prod(shape)) * self.dtype.itemsize
        return self._bytes[:size].view(self.dtype).reshape(shape)


class Stream:
    """A queue of work on the GPU."""

    def __init__(self) -> None:
        self._cudart = runtime()
        self.handle = _checked(self._cudart.cudaStreamCreate())

    def send(self, buffer: Buffer, size: int) -> None:
        """Queue the copy of the first `size` bytes to the device."""
        host, kind = buffer._bytes.ctypes.data, self._cudart.cudaMemcpyKind.cudaMemcpyHostToDevice
        _checked(self._cudart.cudaMemcpyAsync(buffer.device, host, size, kind, self.handle))

    def fetch(self, buffer: Buffer, size: int) -> None:
        """Queue the copy of the first `size` bytes from the device."""
        host, kind = buffer._bytes.ctypes.data, self._cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost
        _checked(self._cudart.cudaMemcpyAsync(host, buffer.device, size, kind, self.handle))

    def wait(self) -> None:
        """Return when all that was queued is done; raises DeviceError where the GPU failed."""
        _checked(self._cudart.cudaStreamSynchronize(self.handle))

    def captured(self, work: Callable[[], None]) -> Callable[[], None]:
        """Return what queues all that `work` queues, as one graph: one launch in the place of one for each kernel."""
        _checked(self._cudart.cudaStreamBeginCapture(self.handle, self._cudart.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal))
        work()
        graph = _checked(self._cudart.cudaStreamEndCapture(self.handle))
        executable = _checked(self._cudart.cudaGraphInstantiate(graph, 0))
        return lambda: _checked(self._cudart.cudaGraphLaunch(executable, self.handle))


def _checked(result: tuple[Any, ...]) -> Any:
    """Return what a call of CUDA gave beside its error code; raises DeviceError where that says something went wrong."""
    error, *rest = result
    if int(error) != 0:
        raise DeviceError(f"the GPU failed: {error.name} ({int(error)}). Look at nvidia-smi and the kernel's log.")
    return rest[0] if rest else None
