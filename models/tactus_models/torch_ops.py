"""ONNX's operators in torch, as far as bundles use them (opsets 17 and 18). https://onnx.ai/onnx/operators says what each has to do."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from math import prod

import torch
from onnx import TensorProto
from torch import Tensor
from torch.nn import functional

Ints = Sequence[int]

_DTYPES = {
    TensorProto.FLOAT: torch.float32,
    TensorProto.INT64: torch.int64,
    TensorProto.INT32: torch.int32,
    TensorProto.UINT8: torch.uint8,
    TensorProto.BOOL: torch.bool,
}


def _convolve(
    by_dimensions: Sequence[Callable[..., Tensor]],
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    pads: Ints = (),
    strides: Ints = (),
    **other: object,
) -> Tensor:
    dimensions = weight.ndim - 2
    _only(other, group=1, dilations=[1] * dimensions, kernel_shape=list(weight.shape[2:]), auto_pad="NOTSET")
    return by_dimensions[dimensions - 1](x, weight, bias, list(strides) or 1, _even(pads, dimensions))


def _max_pool(x: Tensor, *, kernel_shape: Ints, pads: Ints = (), strides: Ints = (), **other: object) -> Tensor:
    dimensions = len(kernel_shape)
    _only(other, auto_pad="NOTSET", ceil_mode=0, dilations=[1] * dimensions, storage_order=0)
    pool = (functional.max_pool1d, functional.max_pool2d)[dimensions - 1]
    return pool(x, list(kernel_shape), list(strides) or [1] * dimensions, _even(pads, dimensions))


def _even(pads: Ints, dimensions: int) -> list[int]:
    """Return how much is added at either end of each dimension."""
    before, after = list(pads[:dimensions]) or [0] * dimensions, list(pads[dimensions:]) or [0] * dimensions
    if before != after:
        raise ValueError(f"padding {list(pads)} is not the same at both ends")
    return before


def _only(given: Mapping[str, object], **known: object) -> None:
    """Raise ValueError for an attribute with another value than the only one that is known."""
    for name, value in given.items():
        if name not in known or value != known[name]:
            raise ValueError(f"attribute {name}={value}, known is {known.get(name, 'none')}")


def _flatten(x: Tensor, *, axis: int = 1) -> Tensor:
    return x.reshape(prod(x.shape[:axis]), -1)


def _gather(x: Tensor, index: Tensor, *, axis: int = 0) -> Tensor:
    places: list[slice | Tensor] = [*[slice(None)] * (axis % x.ndim), index]
    return x[tuple(places)]


def _gemm(
    a: Tensor, b: Tensor, c: Tensor | None = None, *, alpha: float = 1.0, beta: float = 1.0, transA: int = 0, transB: int = 0
) -> Tensor:
    product = alpha * ((a.T if transA else a) @ (b.T if transB else b))
    return product if c is None else product + beta * c


def _gru(
    x: Tensor, w: Tensor, r: Tensor, b: Tensor, lengths: None = None, h: Tensor | None = None, **other: object
) -> tuple[Tensor, Tensor]:
    size = r.shape[2]
    # The other way round (0) resets before the product, which is no GRU of torch's.
    if other.pop("linear_before_reset", 0) != 1:
        raise ValueError("linear_before_reset=0, known is 1")
    _only(other, hidden_size=size, direction="forward", layout=0)
    w, r, b_w, b_r = (reset_first(part, size) for part in (w[0], r[0], b[0, : 3 * size], b[0, 3 * size :]))
    start = x.new_zeros(1, x.shape[1], size) if h is None else h
    rows, last = torch.gru(x, start, (w, r, b_w, b_r), True, 1, 0.0, False, False, False)
    return rows[:, None], last


def reset_first(gates: Tensor, size: int) -> Tensor:
    """Return gates in torch's order (reset, update, new) that come in ONNX's (update, reset, new)."""
    update, reset, new = gates.split(size)
    return torch.cat((reset, update, new))


def _layer_norm(
    x: Tensor, scale: Tensor, shift: Tensor | None = None, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> Tensor:
    return functional.layer_norm(x, x.shape[axis:], scale, shift, epsilon)


def _reduce_mean(x: Tensor, over: Tensor | None = None, *, axes: Ints = (), keepdims: int = 1, noop_with_empty_axes: int = 0) -> Tensor:
    places = list(axes) if over is None else over.tolist()  # an attribute until opset 17, an input since
    if not places and noop_with_empty_axes:
        return x
    return x.mean(places or tuple(range(x.ndim)), keepdim=bool(keepdims))


def _reshape(x: Tensor, shape: Tensor, *, allowzero: int = 0) -> Tensor:
    sizes = [x.shape[i] if size == 0 and not allowzero else size for i, size in enumerate(shape.tolist())]
    return x.reshape(sizes)


def _slice(x: Tensor, starts: Tensor, ends: Tensor, axes: Tensor | None = None, steps: Tensor | None = None) -> Tensor:
    places = range(len(starts)) if axes is None else axes.tolist()
    strides = [1] * len(starts) if steps is None else steps.tolist()
    chosen = [slice(None)] * x.ndim
    for place, start, end, step in zip(places, starts.tolist(), ends.tolist(), strides, strict=True):
        chosen[place] = slice(start, end, step)
    return x[tuple(chosen)]


def _squeeze(x: Tensor, axes: Tensor | None = None) -> Tensor:
    return x.squeeze() if axes is None else x.squeeze(tuple(axes.tolist()))


def _unsqueeze(x: Tensor, axes: Tensor) -> Tensor:
    rank = x.ndim + len(axes)
    return reduce(Tensor.unsqueeze, sorted(axis % rank for axis in axes.tolist()), x)


def _divide(a: Tensor, b: Tensor) -> Tensor:
    return torch.div(a, b, rounding_mode=None if a.is_floating_point() else "trunc")


OPERATORS: Mapping[str, Callable[..., Tensor | tuple[Tensor, ...]]] = {
    **{"Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": _divide, "MatMul": torch.matmul, "Gemm": _gemm, "Equal": torch.eq},
    **{"Sin": torch.sin, "Cos": torch.cos, "Erf": torch.erf, "Relu": torch.relu, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh},
    **{"Softplus": functional.softplus, "LayerNormalization": _layer_norm, "GRU": _gru, "MaxPool": _max_pool, "ReduceMean": _reduce_mean},
    **{"Flatten": _flatten, "Gather": _gather, "Reshape": _reshape, "Slice": _slice, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze},
    "Cast": lambda x, *, to: x.to(_DTYPES[to]),
    "Clip": lambda x, low=None, high=None: torch.clamp(x, low, high),
    "Concat": lambda *parts, axis: torch.cat(parts, axis),
    "ConstantOfShape": lambda shape, *, value: value.expand(shape.tolist()),
    "Conv": partial(_convolve, (functional.conv1d, functional.conv2d)),
    "ConvTranspose": partial(_convolve, (functional.conv_transpose1d, functional.conv_transpose2d)),
    "Expand": lambda x, shape: x.expand(torch.broadcast_shapes(x.shape, shape.tolist())),
    "InstanceNormalization": lambda x, scale, shift, *, epsilon=1e-5: functional.instance_norm(x, weight=scale, bias=shift, eps=epsilon),
    "Shape": lambda x, *, start=0, end=None: torch.tensor(x.shape[start:end]),
    "Softmax": lambda x, *, axis=-1: torch.softmax(x, axis),
    "Sum": lambda *parts: sum(parts),
    "Transpose": lambda x, *, perm: x.permute(perm),
    "Where": torch.where,
}
