"""The guard under a coverage-guided fuzzer, for a short while; tests/fuzz/fuzz_guard.py runs as long as one likes."""

import subprocess
import sys
from pathlib import Path

FUZZER = Path(__file__).parents[1] / "fuzz" / "fuzz_guard.py"


def test_the_fuzzer_finds_nothing():
    done = subprocess.run([sys.executable, FUZZER, "-runs=3000", "-seed=1"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "DONE" in done.stderr
