"""Start an emulator: `python -m tactus_hardware.emulate DEVICE`. It prints the driver's parameters that lead to it, and serves."""

import argparse
import importlib
import sys
from pathlib import Path

from tactus_core.errors import TactusError
from tactus_hardware.emulation.faults import DEVICE, WIRE, Faults

# A device's folder with an `emulator.py`, whose `make(faults, play)` returns an Emulator.
DEVICES = ("allegro", "anyskin", "ft300", "inspire", "leap", "optical", "rdt", "robotiq", "so101", "ur", "xela")


def main() -> None:
    """Parse the arguments and run."""
    explained = "; ".join(f"{name}: {what}" for name, what in (WIRE | DEVICE).items())
    parser = argparse.ArgumentParser(description=__doc__, epilog=f"Faults: {explained}.")
    parser.add_argument("device", choices=DEVICES)
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=SHARE", help="let a fault strike this share of frames")
    parser.add_argument("--seed", type=int, default=0, help="what chance follows from")
    parser.add_argument("--play", type=Path, help="a recording for a sensor to feel or to see")
    arguments = parser.parse_args()
    faults = Faults(arguments.seed)
    try:
        for fault in arguments.fault:
            name, _, share = fault.partition("=")
            faults.switch(name, float(share or 1.0))
        importlib.import_module(f"tactus_hardware.{arguments.device}.emulator").make(faults, arguments.play).run()
    except (TactusError, ValueError) as error:
        sys.exit(f"tactus_hardware.emulate: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
