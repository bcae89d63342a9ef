"""What crosses the wire: openpi's format both ways, and nothing else."""

import contextlib

import msgpack
import numpy as np
import pytest
from fuzzed_wire import fuzz
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as some
from remote_rig import packed, unpacked

from tactus_core.errors import DataError
from tactus_core.remote import wire

DTYPES = st.sampled_from(["?", "u1", "i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", "<f2", "<f4", "<f8"])
ARRAYS = DTYPES.flatmap(lambda dtype: some.arrays(dtype, some.array_shapes(min_dims=0, min_side=0, max_dims=4, max_side=4)))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=8) | ARRAYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def same(a, b):
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


@given(VALUES)
@settings(max_examples=60, deadline=None)
def test_values_come_back_as_they_were_ours_and_by_openpis_rules(value):
    assert same(value, wire.unpack(wire.pack(value)))
    assert same(value, wire.unpack(packed(value)))
    assert same(value, unpacked(wire.pack(value)))


def test_arrays_that_are_not_in_c_order_keep_their_meaning():
    turned = np.arange(6, dtype=np.float32).reshape(2, 3).T
    np.testing.assert_array_equal(wire.unpack(wire.pack(turned)), turned)


def test_numpy_scalars_cross():
    assert wire.unpack(wire.pack(np.float32(0.5))) == np.float32(0.5)
    assert wire.unpack(wire.pack(np.bool_(True))) is np.True_


@pytest.mark.parametrize("value", [object(), np.array([object()]), np.array(["a"]), 1j, np.array([1j]), np.array([0], "M8[s]"), {1, 2}])
def test_what_has_no_place_in_the_protocol_is_not_sent(value):
    with pytest.raises(DataError, match="cannot be sent"):
        wire.pack({"x": value})


def array(data=b"\0" * 8, dtype="<f4", shape=(2,), **more):
    return {b"__ndarray__": True, b"data": data, b"dtype": dtype, b"shape": shape} | {key.encode(): value for key, value in more.items()}


REFUSED = {
    "objects": array(dtype="|O"),
    "records": array(dtype=[["a", "<f4"]]),
    "void": array(dtype="|V8"),
    "texts": array(dtype="<U2"),
    "big-endian": array(dtype=">f4"),
    "times": array(dtype="<M8[s]"),
    "a dtype with an expression": array(dtype="(2,)f4"),
    "too few bytes": array(data=b"\0" * 7),
    "too many bytes": array(data=b"\0" * 9),
    "text for bytes": array(data="\0" * 8),
    "a negative size": array(shape=(-1,)),
    "a size that is no number": array(shape=(2.0,)),
    "a size that is a truth": array(shape=(True, 2)),
    "sizes that overflow": array(shape=(2**33, 2**33)),
    "nothing, of a size beyond numpy": array(data=b"", shape=(0, 2**62, 2**62)),
    "too many dimensions": array(data=b"\0" * 4, shape=(1,) * 40),
    "no shape": {b"__ndarray__": True, b"data": b"", b"dtype": "<f4"},
    "something more": array(kind=b"O"),
    "a scalar of objects": {b"__npgeneric__": True, b"data": 1, b"dtype": "|O"},
    "a scalar beyond its type": {b"__npgeneric__": True, b"data": 300, b"dtype": "|u1"},
    "a scalar that is text": {b"__npgeneric__": True, b"data": "1", b"dtype": "<f4"},
    "an extension": msgpack.ExtType(5, b"abc"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_message_that_is_not_of_the_protocol_is_refused(name):
    with pytest.raises(DataError):
        wire.unpack_mapping(msgpack.packb({"actions": REFUSED[name]}))


@pytest.mark.parametrize(
    "data",
    [b"", b"\xc1", b"\x81", b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\x91" * 100_000, b"\x80\x80", b"\x81\x01\x02", b"\xa1\xff"],
    ids=["nothing", "never used", "cut", "long list", "long bytes", "deep", "two", "a number as key", "no utf-8"],
)
def test_bytes_that_are_no_message_are_refused(data):
    with pytest.raises(DataError):
        wire.unpack_mapping(data)


@pytest.mark.parametrize("value", [[], 3, None, np.zeros(3, np.float32), {b"actions": 1}])
def test_only_a_mapping_of_texts_is_a_message(value):
    with pytest.raises(DataError, match="expected a mapping"):
        wire.unpack_mapping(packed(value))


def test_a_text_is_the_other_sides_error_in_its_last_line():
    with pytest.raises(DataError, match="ValueError: no camera") as caught:
        wire.unpack_mapping("Traceback (most recent call last):\n  File ...\nValueError: no camera\x1b[2J\n")
    assert "\x1b" not in str(caught.value)
    assert "File" not in str(caught.value)


WRONG = {
    "missing": ({}, "must be an array"),
    "no array": ({"actions": [1.0]}, "must be an array"),
    "whole numbers": ({"actions": np.zeros((2, 3), np.int32)}, "numbers int32"),
    "another shape": ({"actions": np.zeros((3, 2), np.float32)}, r"\(3, 2\), expected \(2, 3\)"),
    "NaN": ({"actions": np.full((2, 3), np.nan, np.float32)}, "holds NaN"),
    "infinity": ({"actions": np.full((2, 3), -np.inf)}, "holds NaN"),
    "beyond float32": ({"actions": np.full((2, 3), 1e300)}, "holds NaN"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.filterwarnings("error")
def test_numbers_are_of_their_shape_and_finite(name):
    values, message = WRONG[name]
    with pytest.raises(DataError, match=message):
        wire.numbers(values, "actions", (2, 3))


def test_damaged_messages_raise_nothing_else():
    assert 0 < fuzz(1500) < 1500


@given(st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_bytes_raise_nothing_else(data):
    with contextlib.suppress(DataError):
        wire.unpack(data)
