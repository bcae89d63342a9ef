"""Run every test: style, types, core, simulation, launch files, node graphs.

Arguments go to pytest: `tactus test tests/core -x`.
"""

import os
import subprocess
import sys

import click


@click.command(help=__doc__, context_settings={"ignore_unknown_options": True})
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def command(pytest_arguments: tuple[str, ...]) -> int:
    """Run pytest at the root of the checkout, and end as it ends."""
    return subprocess.call([sys.executable, "-m", "pytest", *pytest_arguments], cwd=os.environ["TACTUS_ROOT"])
