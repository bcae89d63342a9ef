"""Measure this machine: latency of the graph."""

from pathlib import Path
from typing import Any

import click

from tactus_cli.options import json_option, seed_option, write_json


@click.group(help=__doc__)
def command() -> None:
    """Measure."""


@command.command()
@click.option("--seconds", type=click.FloatRange(min=1.0), default=12.0, show_default=True, help="How long to measure.")
@click.option("--task", default="wipe", show_default=True, help="Simulated task.")
@click.option("--robot", default="panda_allegro", show_default=True, help="Robot of that task.")
@click.option("--bundle", default="wipe-rdp", show_default=True, help="Policy bundle, a name or a folder.")
@click.option("--realtime/--no-realtime", default=True, show_default=True, help="Ask for real-time scheduling.")
@seed_option
@json_option
def latency(seconds: float, task: str, robot: str, bundle: str, realtime: bool, seed: int, json_file: Path | None) -> None:
    """Touch stamp → guarded command received at the device, in the full graph, the slow policy inferring."""
    from tactus_cli.bringup import launch_file
    from tactus_cli.domain import require_quiet_domain
    from tactus_cli.latency import measure

    require_quiet_domain()
    arguments = {"task": task, "robot": robot, "bundle": bundle, "realtime": str(realtime).lower()}
    result = measure(launch_file("sim.launch.xml"), arguments, seed, seconds)
    show(result)
    write_json(json_file, result)


def show(result: dict[str, Any]) -> None:
    """Print the report as a table."""
    rows = {"touch to command": result["touch_to_command_ms"], "tick lateness": result["tick_lateness_ms"], **result["hops_ms"]}
    click.echo(f"{'ms':24}{'p50':>9}{'p99':>9}{'max':>9}")
    for name, row in rows.items():
        click.echo(f"{name:24}" + "".join(f"{row[key]:9.3f}" for key in ("p50", "p99", "max")))
    kind = "real-time" if result["realtime_scheduling"] else "ordinary"
    click.echo(f"{result['lost_ticks']} of {result['ticks']} ticks lost; {kind} scheduling")
    click.echo("cores in use: " + ", ".join(f"{name} {cores:.2f}" for name, cores in result["cpu"].items()))
