"""Run every test: first those that may run beside each other, then the graphs, one by one.

Arguments go to pytest, which then runs once: `tactus test tests/core -x`.
"""

import os
import subprocess
import sys
from pathlib import Path

import click

# Each of these starts a graph: two at once would be late for each other.
_GRAPHS = "tests/graph"
# The same examples each time, however slow the machine; single tests try new ones. What fails against the clock of a machine that was kept
# busy, by a graph or an emulator beside it, is tried once more, and told.
_WHOLE = ("--hypothesis-profile=ci", "--reruns", "1")
_TWO_AT_ONCE = ("-n", "2", "--dist", "worksteal")


@click.command(help=__doc__, context_settings={"ignore_unknown_options": True})
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def command(pytest_arguments: tuple[str, ...]) -> int:
    """Run pytest at the root of the checkout; what fails in either part fails the whole."""
    root = Path(os.environ["TACTUS_ROOT"])
    whole = [(*_WHOLE, *_TWO_AT_ONCE, f"--ignore={_GRAPHS}"), (*_WHOLE, _GRAPHS)]
    runs = [pytest_arguments] if pytest_arguments else whole
    return max([subprocess.call([sys.executable, "-m", "pytest", *arguments], cwd=root) for arguments in runs])
