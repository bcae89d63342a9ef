"""Start an emulator, which prints the driver's parameters that lead to it, and serves.

`./tactus emulate DEVICE`, or `python -m tactus_hardware.emulate DEVICE`.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from tactus_core.errors import TactusError
from tactus_hardware.emulation.faults import DEVICE, WIRE, Faults

# A device's folder with an `emulator.py`, whose `make(faults, play)` returns an Emulator.
DEVICES = ("allegro", "anyskin", "ft300", "gello", "inspire", "leap", "optical", "rdt", "robotiq", "so101", "spacemouse", "ur", "xela")


def main(words: Sequence[str] | None = None, program: str | None = None) -> None:
    """Parse the words of the command line (None: this process' own) and run; `program`: what help and errors call it."""
    explained = "; ".join(f"{name}: {what}" for name, what in (WIRE | DEVICE).items())
    parser = argparse.ArgumentParser(program, description=__doc__, epilog=f"Faults: {explained}.")
    parser.add_argument("device", choices=DEVICES)
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=SHARE", help="let a fault strike this share of frames")
    parser.add_argument("--seed", type=int, default=0, help="what chance follows from")
    parser.add_argument("--play", type=Path, help="a recording for a sensor to feel or to see")
    arguments = parser.parse_args(words)
    faults = Faults(arguments.seed)
    try:
        for fault in arguments.fault:
            name, _, share = fault.partition("=")
            faults.switch(name, float(share or 1.0))
        importlib.import_module(f"tactus_hardware.{arguments.device}.emulator").make(faults, arguments.play).run()
    except (TactusError, ValueError) as error:
        sys.exit(f"{parser.prog}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
