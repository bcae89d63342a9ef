"""Silence for libraries that print from C, past sys.stdout and sys.stderr: PyBullet does, whenever it loads something."""

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Send what the process prints meanwhile nowhere; exceptions pass."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [(descriptor, os.dup(descriptor)) for descriptor in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor, _ in kept:
        os.dup2(nowhere, descriptor)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)  # C keeps what it prints to a pipe or a file until later
        for descriptor, copy in kept:
            os.dup2(copy, descriptor)
            os.close(copy)
        os.close(nowhere)
