"""A graph → the same graph in fp16 or int8, by ONNX Runtime's own tools. Inputs and outputs stay as the card has them.

int8 is static quantisation with scales in the graph (QDQ): convolutions and matrix products compute in int8, everything between in fp32.
The scales come from what the graph was given in real episodes; from random numbers they would mean nothing.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tactus_core.engines.stored import Inputs
from tactus_core.errors import BundleError, ConfigError, SetupError

_QUANTISED = ["Conv", "MatMul", "Gemm"]
# The most that scales are made from: evenly spread over what was observed.
_CALIBRATION = 128


def converted(onnx: bytes, precision: str, observed: Sequence[Inputs], on_gpu: bool) -> bytes:
    """Return a graph that computes in `precision`; raises ConfigError, BundleError, or SetupError where a tool is missing.

    observed: inputs that the graph was given, for int8. on_gpu: int8 as TensorRT and CUDA want it, symmetric about zero; else as a CPU does.
    """
    if precision == "fp32":
        return onnx
    if precision == "fp16" and not on_gpu:
        raise ConfigError("fp16 is for GPUs: a CPU computes in fp32 all the same, and converts on top. Choose fp32 or int8.")
    try:
        return _half(onnx) if precision == "fp16" else _quantised(onnx, observed, on_gpu)
    except ImportError as error:
        raise SetupError(
            f"building in {precision} needs '{error.name}', which is not installed: pip install onnx==1.23.2 sympy==1.14.0"
        ) from None


def _half(onnx: bytes) -> bytes:
    import onnx as onnx_format
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model = onnx_format.load_model_from_string(onnx)
    return convert_float_to_float16(model, keep_io_types=True).SerializeToString()


def _quantised(onnx: bytes, observed: Sequence[Inputs], on_gpu: bool) -> bytes:
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    if not observed:
        raise BundleError("int8 needs what the graph was given in real episodes, and there is nothing. Build it with: ./tactus engine.")
    with tempfile.TemporaryDirectory() as folder:
        given, clean, made = (Path(folder) / name for name in ("given.onnx", "clean.onnx", "made.onnx"))
        given.write_bytes(onnx)
        quant_pre_process(given, clean, skip_symbolic_shape=True)
        quantize_static(
            clean,
            made,
            _Observed(observed),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_QUANTISED,
            per_channel=True,
            # Seven bits for weights: without VNNI a CPU's 16-bit sum of two products overflows, and results would hang on the machine.
            reduce_range=not on_gpu,
            activation_type=QuantType.QInt8 if on_gpu else QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={"ActivationSymmetric": on_gpu, "WeightSymmetric": True},
        )
        return made.read_bytes()


class _Observed:
    """What ONNX Runtime's calibration asks for inputs: one set at a time, None at the end."""

    def __init__(self, observed: Sequence[Inputs]) -> None:
        self._left: Iterator[Inputs] = iter(spread(observed, _CALIBRATION))

    def get_next(self) -> Inputs | None:
        return next(self._left, None)

    def __iter__(self) -> Iterator[Inputs]:
        return self._left

    def __next__(self) -> Inputs:
        return next(self._left)


def spread(observed: Sequence[Inputs], most: int) -> list[Inputs]:
    """Return at most `most` of what was observed, evenly spread."""
    step = max(1.0, len(observed) / most)
    return [observed[int(index * step)] for index in range(min(most, len(observed)))]
