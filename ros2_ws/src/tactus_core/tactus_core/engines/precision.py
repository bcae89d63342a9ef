"""A graph → the same graph in fp16 or int8, by ONNX Runtime's own tools, as a backend wants it. Inputs and outputs stay as in the card.

int8 is static quantisation with scales in the graph (QDQ): convolutions and matrix products compute in int8, everything between in fp32.
The scales come from what the graph was given in real episodes; from random numbers they would mean nothing.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tactus_core.engines.stored import Inputs
from tactus_core.errors import BundleError, SetupError

_QUANTISED = ["Conv", "MatMul", "Gemm"]
# The most that scales are made from: evenly spread over what was observed.
_CALIBRATION = 128


def converted(onnx: bytes, precision: str, observed: Sequence[Inputs], backend: str) -> bytes:
    """Return a graph that computes in `precision`, as `backend` wants it; raises BundleError, or SetupError without the tools.

    observed: inputs that the graph was given in real episodes, for int8.
    """
    on_gpu, by_tensorrt = backend != "onnxruntime", backend.startswith("tensorrt")
    try:
        if precision == "fp16":
            onnx = _half(onnx)
        elif precision == "int8":
            onnx = _quantised(onnx, observed, on_gpu)
        return _images_as_float(onnx) if by_tensorrt else onnx
    except ImportError as error:
        raise SetupError(f"building needs '{error.name}', which is not installed: pip install -r requirements/engines.txt") from None


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
            per_channel=on_gpu,
            # Seven bits for weights: without VNNI a CPU's 16-bit sum of two products overflows, and results would hang on the machine.
            reduce_range=not on_gpu,
            activation_type=QuantType.QInt8 if on_gpu else QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # TensorRT wants scales about zero, and no scales for what is added.
            extra_options={"ActivationSymmetric": on_gpu, "WeightSymmetric": True, "QuantizeBias": not on_gpu},
        )
        return made.read_bytes()


def _images_as_float(onnx: bytes) -> bytes:
    """Return a graph that turns its uint8 inputs into fp32 before all else: TensorRT does nothing else with them."""
    import onnx as onnx_format

    model = onnx_format.load_model_from_string(onnx)
    images = [value.name for value in model.graph.input if value.type.tensor_type.elem_type == onnx_format.TensorProto.UINT8]
    for node in model.graph.node:
        node.input[:] = [f"{name}_as_float" if name in images else name for name in node.input]
    for name in images:
        cast = onnx_format.helper.make_node("Cast", [name], [f"{name}_as_float"], to=onnx_format.TensorProto.FLOAT)
        model.graph.node.insert(0, cast)
    del model.graph.value_info[:]  # it tells the types of before
    return model.SerializeToString()


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
