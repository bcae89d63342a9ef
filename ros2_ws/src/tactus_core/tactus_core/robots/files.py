"""Where URDFs are: those that are made when they are first asked for, and those of others."""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

from tactus_core.errors import SetupError

# cmeel's packages have no module to be found by; they lie in one prefix beside the others.
_ROBOTS = "cmeel.prefix/share/example-robot-data/robots"


def written(name: str, urdf: str) -> Path:
    """Return the path of a file with this text, in the user's cache; it is written once per text."""
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tactus"
    path = folder / f"{name}_{hashlib.sha256(urdf.encode()).hexdigest()[:12]}.urdf"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # Several processes may start at once: each writes its own file, and the rename is atomic.
        with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".urdf", delete=False) as file:
            file.write(urdf)
        os.replace(file.name, path)
    return path


def robot_data(file: str) -> Path:
    """Return the path of a file of `example-robot-data`, below its robots; raises SetupError where it is missing."""
    found = next((path for entry in sys.path if (path := Path(entry) / _ROBOTS / file).exists()), None)
    if found is None:
        raise SetupError(f"{_ROBOTS}/{file}: no such file on Python's path. Try: pip install example-robot-data")
    return found
