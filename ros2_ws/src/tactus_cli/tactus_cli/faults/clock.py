"""Steps the wall clock that one process sees; the machine's own clock is never touched."""

import struct
import subprocess
from dataclasses import replace
from pathlib import Path

from tactus_cli.launching.process import Process
from tactus_core.errors import SetupError

_SOURCE = Path(__file__).with_name("clock_shim.c")
# Those that stamp, or look at stamps.
STEPPED = ("sim_device", "guard", "fast_policy", "slow_policy")


class Clocks:
    """A small library in `folder`, compiled once, and a file per process that holds its offset. Raises SetupError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._library = folder / "clock_shim.so"
        command = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(self._library), str(_SOURCE), "-ldl"]
        try:
            built = subprocess.run(command, capture_output=True, text=True)
        except FileNotFoundError:
            raise SetupError("no C compiler `cc`, which the clock faults need. Install one: sudo apt install build-essential.") from None
        if built.returncode:
            raise SetupError(f"{_SOURCE} does not compile on this machine: {built.stderr.strip()}. Leave the clock faults out by --only.")
        for label in STEPPED:
            self.step(label, 0.0)

    def step(self, label: str, offset_s: float) -> None:
        """Let the process see a wall clock that is off by `offset_s`, from now on."""
        path = self._folder / f"{label}.offset"
        with path.open("r+b" if path.exists() else "w+b") as file:  # the same file for ever: the process has mapped it
            file.write(struct.pack("<q", round(offset_s * 1e9)))

    def apply(self, process: Process) -> Process:
        """Return the process with its clock within reach, where it is one of `STEPPED`."""
        if process.label not in STEPPED:
            return process
        more = {"LD_PRELOAD": str(self._library), "TACTUS_CLOCK_OFFSET": str(self._folder / f"{process.label}.offset")}
        return replace(process, environment={**process.environment, **more})
