"""Throws damaged answers at the parser of remote policies: `python tests/core/fuzzed_wire.py 100000`. The test throws fewer."""

import random
import sys
import time

import numpy as np
from remote_rig import packed

from tactus_core.errors import DataError
from tactus_core.remote import wire


def damaged(rng):
    """A good message with bits flipped, cut, repeated or put between noise; or noise alone."""
    data = bytearray(packed({"actions": np.full((2, 3), 0.5, rng.choice(["f4", "f8"])), "server_timing": {"infer_ms": 1.0}}))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(4):
            case 0 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data = data[:at] or data
            case 2:
                data[at:at] = rng.randbytes(rng.randint(1, 9))
            case _:
                data[at:at] = data[: rng.randrange(len(data) + 1)]
    return bytes(data) if rng.random() < 0.9 else rng.randbytes(rng.randint(0, 60))


def fuzz(count, seed=0):
    """Put damaged messages through; what comes out is of the shape asked for, and finite. Returns how many were refused."""
    refused = longest = 0
    for number in range(count):
        try:
            got = wire.numbers(wire.unpack_mapping(damaged(random.Random(f"{seed} {number}"))), "actions", (2, 3))
        except DataError as error:
            refused += 1
            longest = max(longest, len(str(error)))
            continue
        assert got.shape == (2, 3)
        assert got.dtype == np.float32
        assert np.isfinite(got).all()
    assert longest < 1000
    return refused


if __name__ == "__main__":
    began_s = time.monotonic()
    print(f"{fuzz(int(sys.argv[1]), seed=1)} of {sys.argv[1]} inputs refused, none got through, {time.monotonic() - began_s:.0f} s")
