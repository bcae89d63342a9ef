"""Silence for libraries that print from C, past sys.stdout: PyBullet does, whenever it loads something."""

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Send what the process prints meanwhile nowhere; errors on stderr stay visible."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        ctypes.CDLL(None).fflush(None)  # C, too, keeps what it prints to a pipe or a file until later
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
