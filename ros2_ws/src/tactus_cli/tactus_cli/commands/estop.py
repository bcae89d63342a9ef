"""Press or reset the emergency stop of the running graph, from a panel in the terminal or at once."""

import sys

import click

from tactus_core.errors import SetupError


@click.command(help=__doc__)
@click.option("--press", "action", flag_value="press", help="Press, and end: 0 once the graph has confirmed it, else 1.")
@click.option("--reset", "action", flag_value="reset", help="Reset, and end: 0 where the guard has been reset, else 1.")
def command(action: str | None) -> None:
    """Open the panel, or do what was asked for."""
    if action is None and not sys.stdin.isatty():
        raise SetupError("the panel needs a terminal, and this is none. Use: tactus estop --press, or tactus estop --reset.")
    from rich.console import Console

    from tactus_cli.estop_panel import EstopPanel
    from tactus_nodes.client import GraphSession

    with GraphSession() as session:
        panel = EstopPanel(session)
        if action == "press":
            panel.press()
            click.echo("pressed")
        elif action == "reset":
            click.echo(panel.reset())
        else:
            panel.run(Console())
