"""Emulated devices in processes of their own, for tests and for the bench."""

import json
import subprocess
import sys
import time


class Steered:
    """A Python program in a process of its own that prints where it is, and answers each line with one of JSON."""

    def __init__(self, *words, environment=None):
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([sys.executable, *words], stdin=pipe, stdout=pipe, text=True, env=environment)
        self.pid = self._process.pid
        self.address = json.loads(self._process.stdout.readline())

    def tell(self, *words):
        """Send a line; return the answer, once it has been obeyed."""
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)


class Emulated(Steered):
    """An emulator, and how to steer it."""

    def __init__(self, device, *arguments):
        super().__init__("-m", "tactus_hardware.emulate", device, *arguments)


def until(happened, patience_s=20.0):
    """Call until it returns something true, and return that."""
    end_s = time.monotonic() + patience_s
    while time.monotonic() < end_s:
        found = happened()
        if found:
            return found
    raise AssertionError(f"it did not happen in {patience_s} s")
