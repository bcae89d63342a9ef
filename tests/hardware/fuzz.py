"""Throws damaged bytes at every parser: `python tests/hardware/fuzz.py 100000`. The tests throw fewer.

What comes is a good frame or several, with bits flipped, cut, repeated or between noise; or noise alone. No parser may raise, but for the
error that it declares, and nothing may come out of it that no whole frame says.
"""

import random
import sys
import time

import fuzzed_emulators
import fuzzed_joints
import fuzzed_sensors

PARSERS = [
    value
    for module in (fuzzed_sensors, fuzzed_joints, fuzzed_emulators)
    for name, value in vars(module).items()
    if name.startswith("fuzz_")
]


def fuzz(parser, count, seed=0):
    """Run a parser on `count` inputs; the same seed gives the same ones."""
    for number in range(count):
        try:
            parser(random.Random(f"{seed} {number}"))
        except BaseException:
            print(f"{parser.__name__} failed on input {number} of seed {seed}", file=sys.stderr)
            raise


if __name__ == "__main__":
    for each in PARSERS:
        began_s = time.monotonic()
        fuzz(each, int(sys.argv[1]), seed=1)
        print(f"{each.__name__}: {sys.argv[1]} inputs, none got through, {time.monotonic() - began_s:.0f} s")
