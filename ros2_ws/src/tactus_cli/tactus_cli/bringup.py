"""Where the shipped launch files are."""

import os
from pathlib import Path

from tactus_core.errors import SetupError


def launch_file(name: str) -> Path:
    """Return the path of a shipped launch file; raises SetupError where the workspace is not built or not sourced."""
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        path = Path(prefix) / "share" / "tactus_bringup" / name
        if path.is_file():
            return path
    raise SetupError(
        f"no {name} in share/tactus_bringup of any AMENT_PREFIX_PATH. Build the workspace and source it, or run ./tactus doctor."
    )
