"""Run a ROS 2 XML launch file: with `ros2 launch` where it is installed, else with Tactus' own runner.

Arguments follow the file: `tactus launch launch/sim.launch.xml name:=value`.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

import click

from tactus_core.errors import ConfigError


@click.command(help=__doc__)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("arguments", nargs=-1, metavar="[NAME:=VALUE]...")
@click.option("--show-args", is_flag=True, help="List the launch arguments of FILE, and start nothing.")
@click.option("--join", is_flag=True, help="Start although other nodes are running on this ROS_DOMAIN_ID.")
def command(file: Path, arguments: tuple[str, ...], show_args: bool, join: bool) -> int:
    """Start the file and wait for its end."""
    if has_ros2_launch():
        os.execvp("ros2", ["ros2", "launch", str(file), *arguments, *(["--show-args"] if show_args else [])])
    if show_args:
        click.echo(describe(file))
        return 0
    values = parse_arguments(arguments)
    if not join:
        from tactus_cli.domain import require_quiet_domain

        require_quiet_domain()
    return run(file, values)


def has_ros2_launch() -> bool:
    """Return whether the `ros2 launch` of an installed ROS 2 can be called."""
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    return shutil.which("ros2") is not None and any(Path(prefix, "share", "ros2launch").is_dir() for prefix in prefixes)


def parse_arguments(arguments: tuple[str, ...]) -> dict[str, str]:
    """Return `name:=value` pairs as a mapping; the last one of a name wins."""
    values = {}
    for argument in arguments:
        name, mark, value = argument.partition(":=")
        if not (name and mark and value):
            raise ConfigError(f"malformed launch argument '{argument}': expected NAME:=VALUE, with no spaces around ':='.")
        values[name] = value
    return values


def describe(file: Path) -> str:
    """Return the list of a file's launch arguments, as `ros2 launch --show-args` prints it."""
    from tactus_cli.launching import plan

    lines = ["Arguments (pass arguments as '<name>:=<value>'):"]
    for argument in plan.arguments(file, os.environ):
        choices = f" Valid choices are: {list(argument.choices)}" if argument.choices else ""
        lines += ["", f"    '{argument.name}':", f"        {argument.description}{choices}"]
        if argument.default is not None:
            lines.append(f"        (default: '{argument.default}')")
    return "\n".join(lines if len(lines) > 1 else [*lines, "", "  No arguments."])


def run(file: Path, values: dict[str, str]) -> int:
    """Run the file until its processes have ended, or until Ctrl-C or SIGTERM has ended them; both are ends in order: exit code 0."""
    from tactus_cli.launching.session import Launched

    with Launched(file, values, say=lambda line: print(line, file=sys.stdout, flush=True)) as graph:
        print(f"[INFO] [launch]: all log files are below {graph.folder}", flush=True)
        signal.signal(signal.SIGINT, lambda *_: graph.shutdown("interrupted (SIGINT)"))
        signal.signal(signal.SIGTERM, lambda *_: graph.shutdown("terminated (SIGTERM)"))
        graph.wait()
    return 0
