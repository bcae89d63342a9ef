"""Modules of other tests, whose folder is none of ours."""

import importlib.util
from pathlib import Path

_TESTS = Path(__file__).parents[1]


def core_tests(name):
    """Return a module of core's tests; `conftest` writes bundles that mean nothing."""
    spec = importlib.util.spec_from_file_location(f"core_{name}", _TESTS / "core" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
