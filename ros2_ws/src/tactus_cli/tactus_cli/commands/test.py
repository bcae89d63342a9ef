"""Run every test: first those against emulators, then the graphs, one by one, and beside them, giving way, what only computes.

Arguments go to pytest, which then runs once: `tactus test tests/core -x`.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from tactus_nodes.realtime import give_way

# The same examples each time, however slow the machine; single tests try new ones. What fails against the clock of a machine that was kept
# busy, by a graph or an emulator beside it, is tried once more, and told.
_WHOLE = ("--hypothesis-profile=ci", "--reruns", "1")
_TWO_AT_ONCE = ("-n", "2", "--dist", "worksteal")
# Against the clock, but in domains of their own.
_TIMED = ("tests/hardware", "tests/launch", "tests/nodes", "tests/faults")
# Each of these starts a graph: two at once would be late for each other.
_GRAPHS = "tests/graph"


@click.command(help=__doc__, context_settings={"ignore_unknown_options": True})
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def command(pytest_arguments: tuple[str, ...]) -> int:
    """Run pytest at the root of the checkout; what fails in any part fails the whole."""
    root = Path(os.environ["TACTUS_ROOT"])
    if pytest_arguments:
        return subprocess.call(_pytest(*pytest_arguments), cwd=root)
    code = subprocess.call(_pytest(*_WHOLE, *_TWO_AT_ONCE, *_TIMED), cwd=root)
    computing = _pytest(*_WHOLE, *_TWO_AT_ONCE, *(f"--ignore={part}" for part in (*_TIMED, _GRAPHS)))
    return max(code, _both(_pytest(*_WHOLE, _GRAPHS), computing, root))


def _pytest(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", *arguments]


def _both(first: list[str], beside: list[str], root: Path) -> int:
    """Run a command, and another one in the time that it leaves; what that one says comes at the end. Return the worse exit status."""
    with tempfile.TemporaryFile("w+") as said:
        other = subprocess.Popen(beside, cwd=root, stdout=said, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=_give_way)
        try:
            codes = (subprocess.call(first, cwd=root), other.wait())
        except BaseException:
            os.killpg(other.pid, signal.SIGTERM)
            other.wait()
            raise
        said.seek(0)
        click.echo(said.read())
    return max(codes)


def _give_way() -> None:
    os.nice(19)
    give_way()
