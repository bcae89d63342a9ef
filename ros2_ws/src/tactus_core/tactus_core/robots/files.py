"""URDFs that are made when they are first asked for."""

import hashlib
import os
import tempfile
from pathlib import Path


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
