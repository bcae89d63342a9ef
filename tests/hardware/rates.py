"""Measures every driver on its emulator, or those named: `python tests/hardware/rates.py [SECONDS [DEVICE[,NAME=VALUE...]...]]`.

A device may be followed by parameters of its driver, as `inspire,wire=rtu,touch_rows=2`.
Prints readings per second (a hand is commanded with each), the driver's own share of a core, and the longest call of `read` and of
`command`, undisturbed and under each fault. Figures on a busy machine are the machine's.
"""

import importlib
import sys
import time

import numpy as np
import yaml
from emulated import Emulated

from tactus_core.config import from_mapping
from tactus_hardware.emulate import DEVICES
from tactus_hardware.emulation.faults import DEVICE, WIRE

TIMEOUT_S = 0.05


def measure(kind, driver, seconds_s):
    """Return readings per second, share of a core, longest call [ms]."""
    began_s, cpu_s, readings, longest_s = time.monotonic(), time.process_time(), 0, 0.0
    while time.monotonic() - began_s < seconds_s:
        called_s = time.monotonic()
        readings += driver.read(TIMEOUT_S) is not None
        longest_s = max(longest_s, time.monotonic() - called_s)
        if kind.measures in ("hand", "arm"):
            called_s = time.monotonic()
            driver.command(np.full(len(kind.joints), 0.3))
            longest_s = max(longest_s, time.monotonic() - called_s)
    took_s = time.monotonic() - began_s
    return readings / took_s, (time.process_time() - cpu_s) / took_s, 1e3 * longest_s


def main():
    seconds_s = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    print(f"{'device':10}{'fault':14}{'readings/s':>12}{'core':>8}{'longest ms':>12}")
    for word in sys.argv[2:] or DEVICES:
        name, *parameters = word.split(",")
        chosen = yaml.safe_load("\n".join(parameters).replace("=", ": ")) or {}
        kind, emulator = importlib.import_module(f"tactus_hardware.{name}").DEVICE, Emulated(name)
        driver = kind.make(from_mapping(kind.config, {**emulator.address, **chosen}, "the bench"))
        driver.open()
        if kind.measures == "axes":
            emulator.tell("set", "push", 0.5, 0, 0, 0, 0, 0)  # a puck at rest has nothing to say
        for fault in ("", *WIRE, *DEVICE, "disconnect"):
            if fault == "disconnect":
                emulator.tell("disconnect", seconds_s / 2)
            elif fault:
                emulator.tell("fault", fault, 0.05)
            rate_Hz, share, longest_ms = measure(kind, driver, seconds_s)
            print(f"{name:10}{fault:14}{rate_Hz:12.0f}{share:8.0%}{longest_ms:12.1f}", flush=True)
            emulator.tell("clear")
            if fault == "saturation":  # a servo that shut down stays off until it is switched off and on
                emulator.tell("disconnect", 0.1)
                measure(kind, driver, 1.0)
        driver.close()
        emulator.close()


if __name__ == "__main__":
    main()
