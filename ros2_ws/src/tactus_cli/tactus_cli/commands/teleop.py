"""Move the robot with the keys of this terminal, in a graph that was launched with teleop:=keyboard."""

import sys

import click

from tactus_core.errors import SetupError


@click.command(help=__doc__)
def command() -> None:
    """Open the panel."""
    if not sys.stdin.isatty():
        raise SetupError("the keys of a terminal are needed, and this is none. Run it in a terminal of its own.")
    from rich.console import Console

    from tactus_cli.teleop_panel import TeleopPanel
    from tactus_nodes.client import GraphSession

    with GraphSession() as session:
        TeleopPanel(session).run(Console())
