"""Building engines, proving them, opening them. A proof is inputs of a graph and what the reference makes of them.

An engine is opened only where it reproduces its proofs within its precision's tolerance, each time anew: the same file may meet another
driver. That is also the warm-up, in which a GPU's graph is captured.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tactus_core import files
from tactus_core.engines import stored
from tactus_core.engines.onnx_runtime import OnnxEngine, OnnxRuntime, cpu_session
from tactus_core.engines.port import BACKENDS, Backend, Engine, EngineConfig
from tactus_core.engines.precision import converted, spread
from tactus_core.engines.stored import EngineKey, Inputs, Proof, StoredEngine
from tactus_core.errors import BundleError, ConfigError, DeviceError, SetupError
from tactus_core.policy.specs import GraphSpec

# Largest error that is allowed, see `proven_error`. In int8 the denoiser of wipe-rdp errs by 0.14, and its episodes succeed as before;
# that of wipe-chunk errs by 0.6, and is refused.
TOLERANCES = {"fp32": 1e-4, "fp16": 1e-2, "int8": 0.2}
_PROOFS = 16
# One in so many observations is kept for the proof, and not used for int8's scales.
_KEPT_BACK = 5

Warn = Callable[[str], None]


def find_backend(name: str) -> Backend:
    """Return a backend by name; raises ConfigError for an unknown one, SetupError where what it needs is not installed."""
    if name == "onnxruntime":
        return OnnxRuntime()
    if name == "onnxruntime-cuda":
        from tactus_core.engines.onnx_cuda import OnnxRuntimeCuda

        return OnnxRuntimeCuda()
    if name in ("tensorrt", "tensorrt-rtx"):
        from tactus_core.engines.tensor_rt import TensorRt

        return TensorRt(name)
    if name == "torch":
        return _torch_backend()
    raise ConfigError(f"no backend '{name}'; there are {', '.join(BACKENDS)}.")


def _torch_backend() -> Backend:
    """Return the backend of `tactus_models`, the only package that knows torch; a robot needs neither."""
    if (entry := _torch_entry()) is None:
        raise SetupError("backend torch is part of tactus_models, which is not installed here. Install it, or choose another backend.")
    try:
        return entry.load()()
    except ImportError as error:
        raise SetupError(f"backend torch needs '{error.name}', which is not installed: pip install -r requirements/train.txt") from None


@cache  # looking through all installed packages takes a tenth of a second, and each graph of a bundle asks
def _torch_entry() -> EntryPoint | None:
    return next(iter(entry_points(group="tactus.backends", name="torch")), None)


def open_graph(path: Path, graph: GraphSpec, config: EngineConfig, warn: Warn | None = None) -> Engine:
    """Return the engine of the graph in the file `path`, whose hash has been checked.

    Where the engine that `config` asks for cannot be had, the reference comes in its place and `warn` is told what is lost;
    without `warn` the error is raised: BundleError, SetupError, DeviceError. ConfigError for what no machine can do is raised in any case.
    """
    if config.is_reference:
        return reference(path, graph, config.threads)
    try:
        backend = find_backend(config.backend)
        return open_proven(built(key_of(graph, config, backend)), graph, config, backend)
    except (BundleError, SetupError, DeviceError) as error:
        if warn is None:
            raise
        warn(f"{error} In its place graph '{graph.file}' runs on ONNX Runtime, on the CPU, in fp32: no less exact, and slower.")
        return reference(path, graph, config.threads)


def reference(path: Path, graph: GraphSpec, threads: int) -> Engine:
    """Return what all engines are held against: the bundle's own file in ONNX Runtime, on the CPU, in fp32."""
    return OnnxEngine(cpu_session(files.read(path), graph, threads, str(path)))


def key_of(graph: GraphSpec, config: EngineConfig, backend: Backend, compute_capability: str = "") -> EngineKey:
    """Return the key of the engine that `config` asks for; raises SetupError, ConfigError. compute_capability: see `Backend.device`."""
    if (config.backend, config.precision) == ("onnxruntime", "fp16"):
        raise ConfigError(
            "fp16 is for GPUs: a CPU computes in fp32 all the same, and converts on top. Choose fp32 or int8, or a GPU's backend."
        )
    if config.backend == "torch" and config.precision != "fp32":
        raise ConfigError(f"backend torch computes in fp32, which its gradients need, not in {config.precision}. Leave --precision out.")
    return EngineKey(graph.sha256, config.backend, backend.version(), backend.device(compute_capability), config.precision)


def built(key: EngineKey) -> StoredEngine:
    """Return the engine from the cache; raises BundleError where it is missing, and names those that are there, or damaged."""
    if (found := stored.load(key)) is None:
        there = ", ".join(stored.others(key)) or "none"
        raise BundleError(
            f"no engine for {key} in {stored.cache_folder()}; of this graph there are: {there}. "
            f"Build it: ./tactus engine BUNDLE --backend {key.backend} --precision {key.precision}."
        )
    return found


def build(path: Path, graph: GraphSpec, key: EngineKey, observed: Sequence[Inputs]) -> StoredEngine:
    """Build the engine of `key` and put it into the cache, with its proofs.

    observed: inputs that the graph was given, at least one; for int8 from real episodes. Raises BundleError, ConfigError, SetupError.
    """
    kept = observed[:: min(_KEPT_BACK, len(observed))]
    rest = [inputs for index, inputs in enumerate(observed) if index % _KEPT_BACK]
    exact = reference(path, graph, threads=1)
    proofs = [Proof(inputs, exact.run(**inputs)) for inputs in spread(kept, _PROOFS)]
    onnx = converted(path.read_bytes(), key.precision, rest, key.backend)
    # What the precision alone costs is judged here, where the GPU may be missing. For a GPU the CPU computes each node as it is written:
    # its own int8 kernels add up in 16 bits, which overflow where a GPU's do not.
    session = cpu_session(onnx, graph, 1, graph.file, as_written=key.backend != "onnxruntime")
    _judge(proven_error(OnnxEngine(session), proofs), graph, key)
    made = StoredEngine(key, find_backend(key.backend).build(onnx, graph, key.device), proofs)
    stored.save(made)
    return made


def open_proven(engine: StoredEngine, graph: GraphSpec, config: EngineConfig, backend: Backend) -> Engine:
    """Return the engine, which has just reproduced its proofs; raises BundleError where it did not, SetupError without its device."""
    opened = backend.open(engine.engine, graph, config.threads)
    _judge(proven_error(opened, engine.proofs), graph, engine.key)
    return opened


def proven_error(engine: Engine, proofs: Sequence[Proof]) -> float:
    """Return the rms error of the worst proof over the rms of all that is expected; infinity for what is not finite, or without a proof."""
    got = [engine.run(**proof.inputs) for proof in proofs]
    expected = [proof.expected for proof in proofs]
    if not got or any(g.shape != e.shape or not np.isfinite(g).all() for g, e in zip(got, expected, strict=True)):
        return float("inf")
    # Of all, because one alone may be next to nothing: a denoiser finds little noise in what is almost clean.
    scale = max(_rms(np.stack(expected)), 1e-6)
    return max(_rms(g - e) for g, e in zip(got, expected, strict=True)) / scale


def _judge(error: float, graph: GraphSpec, key: EngineKey) -> None:
    tolerance = TOLERANCES[key.precision]
    # `not (x <= y)`: NaN has to fail as well.
    if not error <= tolerance:
        raise BundleError(
            f"graph '{graph.file}' on {key} differs from the reference by {error:.2g} of what it should be, allowed is {tolerance}. "
            "It is not used; choose another precision or backend."
        )


def _rms(values: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
