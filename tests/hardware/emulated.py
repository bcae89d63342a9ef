"""Emulated devices in processes of their own, for tests and for the bench."""

import json
import subprocess
import sys
import time


class Emulated:
    """An emulator in a process of its own, and how to steer it."""

    def __init__(self, device, *arguments):
        command = [sys.executable, "-m", "tactus_hardware.emulate", device, *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
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


def until(happened, patience_s=20.0):
    """Call until it returns something true, and return that."""
    end_s = time.monotonic() + patience_s
    while time.monotonic() < end_s:
        found = happened()
        if found:
            return found
    raise AssertionError(f"it did not happen in {patience_s} s")
