"""Run every test: first those that may run beside each other (core, drivers, simulation, training, style), then the graphs, one by one.

Arguments go to pytest, which then runs once: `tactus test tests/core -x`.
"""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import click

# These start graphs or look for them, in one ROS domain.
_GRAPHS = ("cli", "faults", "graph", "launch", "nodes")
# The same examples each time, however slow the machine; single tests try new ones. What fails against the clock of a machine that was kept
# busy, by a graph or an emulator beside it, is tried once more, and told.
_WHOLE = ("--hypothesis-profile=ci", "--reruns", "1")
_TWO_AT_ONCE = ("-n", "2", "--dist", "worksteal")


@click.command(help=__doc__, context_settings={"ignore_unknown_options": True})
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def command(pytest_arguments: tuple[str, ...]) -> int:
    """Run pytest at the root of the checkout; what fails in either part fails the whole."""
    root = Path(os.environ["TACTUS_ROOT"])
    others = {path.name for path in (root / "tests").iterdir()} - set(_GRAPHS)
    runs = [pytest_arguments] if pytest_arguments else [(*_WHOLE, *_TWO_AT_ONCE, *_without(_GRAPHS)), (*_WHOLE, *_without(others))]
    return max([subprocess.call([sys.executable, "-m", "pytest", *arguments], cwd=root) for arguments in runs])


def _without(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"--ignore=tests/{name}" for name in names)
