"""Arrays as one file that is whole or nothing: a line of magic, a line with the sha256 of all that follows, then an .npz archive.

Read whole and hashed before anything in it is parsed, so that a damaged file is one clear error. The hash guards against damage, not
against malice: whoever can write where a user keeps such files can do anything in that user's name.
"""

import hashlib
import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core import files
from tactus_core.errors import BundleError

Arrays = Mapping[str, NDArray[Any]]


def write(path: Path, magic: str, arrays: Arrays) -> None:
    """Write `arrays` to `path`, whole or not at all; makes its folder. magic: a line that says what the file is."""
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]
    data = content.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        file.write(_head(magic, data) + data)
    os.replace(file.name, path)  # atomic: nobody ever reads half a file


def read(path: Path, magic: str, again: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file; raises FileNotFoundError, and BundleError for one that is damaged or something else.

    again: the command that makes such a file, for the error.
    """
    content = files.read(path)
    data = content[len(_head(magic, b"")) :]
    if content != _head(magic, data) + data:
        raise BundleError(
            f"{path}: damaged or cut short, or no '{magic}' at all: its content does not have the hash that it names. "
            f"Build it again: {again}."
        )
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def of_bytes(content: bytes) -> NDArray[np.uint8]:
    """Return bytes as an array; `tobytes` gives them back."""
    return np.frombuffer(content, np.uint8)


def _head(magic: str, data: bytes) -> bytes:
    return f"{magic}\n{hashlib.sha256(data).hexdigest()}\n".encode()
