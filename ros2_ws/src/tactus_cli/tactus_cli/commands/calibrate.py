"""Measure what a robot's parameters need to know: the weight of its tool."""

from pathlib import Path

import click

from tactus_cli.options import json_option, write_json


@click.group(help=__doc__)
def command() -> None:
    """Calibrate a robot."""


@command.command()
@click.option("--robot", required=True, help="Robot whose joints are told, by its entry point in 'tactus.robots'.")
@click.option("--postures", type=click.IntRange(min=4), default=6, show_default=True, help="How many postures to read.")
@click.option("--seconds", type=click.FloatRange(min=0.1, max=10.0), default=1.0, show_default=True, help="How long to read each.")
@json_option
def payload(robot: str, postures: int, seconds: float, json_file: Path | None) -> None:
    """Find what hangs on the force sensor of a running graph, from its readings in several postures.

    Bring the arm to each posture yourself: by its own teach pendant or by hand. Tilt the tool about two axes, and let nothing touch it.
    """
    from tactus_cli.tool import ToolReader, as_parameters
    from tactus_core.perception.payload import identify
    from tactus_nodes.client import GraphSession
    from tactus_nodes.plugins import find_robot

    readings = []
    with GraphSession() as session:
        reader = ToolReader(session, find_robot(robot))
        for number in range(1, postures + 1):
            click.pause(f"Posture {number} of {postures}: bring the arm there, let it rest, and press a key ...")
            readings.append(reader.read(seconds))
    found = identify([wrench for wrench, _ in readings], [R for _, R in readings])
    click.echo(f"left unexplained: {found.residual_N:.2f} N and {found.residual_Nm:.3f} Nm per axis (root mean square)")
    click.echo("Put this into the robot's parameters (launch/params):\n" + as_parameters(found))
    write_json(
        json_file,
        {"tool_kg": found.mass_kg, "tool_center_m": found.center_m.tolist(), "bias": found.bias.tolist(),
         "residual_N": found.residual_N, "residual_Nm": found.residual_Nm},
    )  # fmt: skip
