"""Entry of the `tactus` command: finds the module of a command, runs it, and turns errors into one paragraph."""

import ast
import importlib
import signal
import sys
import textwrap
from pathlib import Path

import click

from tactus_core.errors import TactusError

COMMANDS = Path(__file__).parent / "commands"


class Commands(click.Group):
    """The modules of `commands/` as subcommands, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, sorted."""
        return sorted(path.stem for path in COMMANDS.glob("[a-z]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command; None if there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"tactus_cli.commands.{cmd_name}").command
        command.name = cmd_name
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by the first lines of their docstrings, importing none of them."""
        rows = []
        for name in self.list_commands(ctx):
            doc = ast.get_docstring(ast.parse((COMMANDS / f"{name}.py").read_text())) or ""
            rows.append((name, doc.split("\n")[0]))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=Commands)
def tactus() -> None:
    """Touch-reactive manipulation policies on arms and dexterous hands, under ROS 2."""


def main() -> None:
    """Run the command line; end with its exit code."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        result = tactus.main(prog_name="tactus", standalone_mode=False)
    except TactusError as error:
        click.echo("\n" + textwrap.fill(f"tactus: {error}", 100, break_long_words=False, break_on_hyphens=False), err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    sys.exit(result if isinstance(result, int) else 0)


if __name__ == "__main__":
    main()
