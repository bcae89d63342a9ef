"""Processes of a running graph, and of the devices that it runs on."""

import importlib.util
from pathlib import Path

_TESTS = Path(__file__).parents[1]


def loaded(name, path):
    """Return the module in a file of other tests, whose folder is none of ours."""
    spec = importlib.util.spec_from_file_location(name, _TESTS / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def emulated():
    """Return the module that starts emulators."""
    return loaded("emulated", "hardware/emulated.py")


def children(pid):
    """Return the processes that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(stat.parent.name))
        except OSError:
            continue
    return found
