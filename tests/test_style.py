"""Style and types, as tests: `tactus test` has one summary, and it covers them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STRICTLY_TYPED = ["ros2_ws/src/tactus_core/tactus_core", "sim/tactus_sim", "hardware/tactus_hardware", "models/tactus_models"]


@pytest.mark.parametrize(
    "tool",
    [
        ["ruff", "check", "--no-fix", "."],
        ["ruff", "format", "--check", "."],
        *(["mypy", "--config-file", "pyproject.toml", "--no-error-summary", package] for package in STRICTLY_TYPED),
    ],
    ids=lambda tool: " ".join([tool[0], Path(tool[-1]).name]),
)
def test_tool_finds_nothing(tool):
    result = subprocess.run([sys.executable, "-m", *tool], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
