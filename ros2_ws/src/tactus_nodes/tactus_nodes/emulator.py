"""An emulated device, in a process of its own that ends with this one."""

import json
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

from tactus_core.errors import DeviceError

_START_S = 15.0
_END_S = 2.0


class Emulator:
    """`address`: the driver's parameters that lead to it. log: file for what it is told to do. Raises DeviceError where it does not start.

    It ends when its standard input does: also where this process is killed. An interrupt does not reach it: the driver leaves first.
    """

    def __init__(self, device: str, log: Path | None = None) -> None:
        # By the module's name: nodes import no devices.
        command = [sys.executable, "-m", "tactus_hardware.emulate", device, *(("--log", str(log)) if log else ())]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        ready, _, _ = select.select([self._process.stdout], [], [], _START_S)
        line = self._process.stdout.readline() if ready and self._process.stdout else ""
        if not line:
            self.close()
            raise DeviceError(
                f"the emulator of '{device}' said no address within {_START_S:.0f} s; its message is above. Try ./tactus emulate {device}."
            )
        self.address: dict[str, Any] = json.loads(line)

    def tell(self, *words: object) -> dict[str, Any]:
        """Steer it, see `./tactus emulate`; return what it answers. Raises DeviceError where it does not understand, or has ended."""
        pipes = self._process.stdin, self._process.stdout
        if None in pipes or self._process.poll() is not None:
            raise DeviceError("the emulator has ended. Look at its last lines above, and start anew.")
        print(*words, file=pipes[0], flush=True)
        answer: dict[str, Any] = json.loads(pipes[1].readline() or '{"error": "it has ended"}')
        if "error" in answer:
            raise DeviceError(f"the emulator says: {answer['error']}")
        return answer

    def close(self) -> None:
        """End it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
