"""Bytes ⇄ values, as openpi's `msgpack_numpy` packs them. What comes from the wire is not trusted: nothing is unpickled, sizes are checked.

    array   {b"__ndarray__": True, b"data": bytes in C order, b"dtype": dtype.str, b"shape": [int, ...]}
    scalar  {b"__npgeneric__": True, b"data": number, b"dtype": dtype.str}

Numbers and booleans alone cross in arrays. Objects, records, complex numbers and times are refused, as openpi does; so are texts in arrays
and big-endian numbers, which openpi would take.
"""

import math
import reprlib
from typing import Any

import msgpack
import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import DataError

# Two camera images of 640 × 480 take 1.8 MB, a chunk of 50 × 32 doubles 13 kB.
LONGEST_OBSERVATION_BYTES = 16 * 2**20
LONGEST_ANSWER_BYTES = 2**20
_DTYPES = {np.dtype(name).str: np.dtype(name) for name in ("?", "u1", "i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", "<f2", "<f4", "<f8")}
_MOST_DIMENSIONS = 8
_ARRAY = {b"__ndarray__", b"data", b"dtype", b"shape"}
_SCALAR = {b"__npgeneric__", b"data", b"dtype"}


def pack(value: Any, longest_bytes: int = LONGEST_ANSWER_BYTES) -> bytes:
    """Return `value` as bytes: None, booleans, numbers, texts, lists, mappings, and numpy's arrays and scalars of numbers.

    Raises DataError for anything else, and where it becomes longer than the other side takes.
    """
    data = bytes(msgpack.packb(value, default=_packed))
    if len(data) > longest_bytes:
        raise DataError(f"a message of {len(data)} bytes; at most {longest_bytes} are sent. Send smaller images.")
    return data


def unpack(data: bytes) -> Any:
    """Return what `data` says; arrays are read-only. Raises DataError for anything that is not whole, or not allowed."""
    try:
        return msgpack.unpackb(data, object_hook=_unpacked, ext_hook=_refuse_extension)
    except DataError:
        raise
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        why = brief(f"{type(error).__name__}, {error}")  # not its repr: that of a text that is no UTF-8 holds all of it
        raise DataError(f"{len(data)} bytes are no whole msgpack message: {why}. Does the other side speak openpi's protocol?") from None


def unpack_mapping(data: bytes | str) -> dict[str, Any]:
    """Return the mapping that `data` says. Raises DataError for anything else, and for text: with it a server tells an error."""
    if isinstance(data, str):
        raise DataError(f"the other side tells of an error: {brief(data)}")
    value = unpack(data)
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise DataError(f"expected a mapping of texts to values, got {shown(value)}. Does the other side speak openpi's protocol?")
    return value


def numbers(values: dict[str, Any], key: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return a finite real array of `shape` out of a message, float32. Raises DataError where it is anything else."""
    value = values.get(key)
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
        got = f"numbers {value.dtype}" if isinstance(value, np.ndarray) else shown(value)
        raise DataError(f"'{key}' must be an array of real numbers {shape}, got {got}; the message has {shown(sorted(values))}.")
    if value.shape != shape:
        raise DataError(f"'{key}' has shape {value.shape}, expected {shape}. Are both sides of one policy?")
    with np.errstate(all="ignore"):  # what float32 cannot hold becomes infinite, and is refused below
        narrow = value.astype(np.float32)
    if not np.isfinite(narrow).all():
        raise DataError(f"'{key}' holds NaN, infinity, or more than float32 can. It is not used; check what made it.")
    return narrow


def brief(text: str) -> str:
    """Return foreign text fit for a message: its last line, printable, not long."""
    lines = text.strip().splitlines() or [""]
    line = "".join(c if c.isprintable() else "?" for c in lines[-1])
    return line if len(line) <= 160 else line[:160] + " ..."


def shown(value: Any) -> str:
    """Return a foreign value fit for a message, however large it is."""
    return brief(reprlib.repr(value).replace("\n", " "))


def _packed(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic) and value.dtype.str in _DTYPES:
        if isinstance(value, np.ndarray):
            return {b"__ndarray__": True, b"data": value.tobytes(), b"dtype": value.dtype.str, b"shape": value.shape}
        return {b"__npgeneric__": True, b"data": value.item(), b"dtype": value.dtype.str}
    kind = f"an array of {value.dtype}" if isinstance(value, np.ndarray | np.generic) else f"a {type(value).__name__}"
    raise DataError(f"{kind} cannot be sent to a policy; it takes numbers, texts, lists, mappings and arrays of numbers.")


def _unpacked(value: dict[Any, Any]) -> Any:
    if b"__ndarray__" in value:
        return _array(value)
    if b"__npgeneric__" in value:
        return _scalar(value)
    return value


def _array(value: dict[Any, Any]) -> NDArray[Any]:
    dtype = _dtype(value, _ARRAY)
    data, shape = value[b"data"], value[b"shape"]
    if not (isinstance(shape, list) and len(shape) <= _MOST_DIMENSIONS and all(type(n) is int and n >= 0 for n in shape)):
        raise DataError(f"an array of shape {shown(shape)}; expected at most {_MOST_DIMENSIONS} sizes. Nothing of it is used.")
    if not isinstance(data, bytes) or math.prod(shape) * dtype.itemsize != len(data):
        got = f"{len(data)} bytes" if isinstance(data, bytes) else f"a {type(data).__name__}"
        raise DataError(f"an array {shown(shape)} of {dtype} came with {got}. Nothing of it is used.")
    try:
        return np.frombuffer(data, dtype).reshape(shape)
    except ValueError as error:  # no bytes, and sizes that numpy does not count up to
        raise DataError(f"an array of shape {shown(shape)}: {error}. Nothing of it is used.") from None


def _scalar(value: dict[Any, Any]) -> Any:
    dtype = _dtype(value, _SCALAR)
    number = value[b"data"]
    wanted = {"b": (bool,), "f": (float, int)}.get(dtype.kind, (int,))
    if type(number) not in wanted:
        raise DataError(f"a number of {dtype} came as {shown(number)}. Nothing of it is used.")
    if dtype.kind in "iu" and not np.iinfo(dtype).min <= number <= np.iinfo(dtype).max:
        raise DataError(f"{number} is beyond {dtype}. Nothing of it is used.")
    return dtype.type(number)


def _dtype(value: dict[Any, Any], keys: set[bytes]) -> np.dtype[Any]:
    if set(value) != keys:
        raise DataError(f"an array or scalar with {shown(list(value))}, expected {sorted(keys)}. Nothing of it is used.")
    name = value[b"dtype"]
    if not isinstance(name, str) or name not in _DTYPES:
        raise DataError(f"an array or scalar of dtype {shown(name)}; numbers of {', '.join(_DTYPES)} are allowed, objects never.")
    return _DTYPES[name]


def _refuse_extension(code: int, data: bytes) -> Any:
    raise DataError(
        f"a msgpack extension of type {code} ({len(data)} bytes), which openpi's protocol does not have. Nothing of it is used."
    )
