"""Measure what a robot's parameters need to know: the weight of its tool, how late a sensor is."""

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


@command.command()
@click.option("--of", "source", type=click.Choice(["camera", "touch", "wrench"]), default="camera", show_default=True, help="Whose.")
@click.option("--seconds", type=click.FloatRange(min=5.0, max=300.0), default=15.0, show_default=True, help="How long to listen.")
@json_option
def latency(source: str, seconds: float, json_file: Path | None) -> None:
    """Find how late a sensor's stamps are against those of the arm's joints, in a running graph.

    Move the arm meanwhile, irregularly, by starts and stops: with a camera that sees it move, or that moves with it; with a tool whose
    weight the force sensor feels.
    """
    from tactus_cli.lateness import MotionListener
    from tactus_core.perception.lag import lag
    from tactus_nodes.client import GraphSession

    with GraphSession() as session:
        listener = MotionListener(session, source)
        click.echo(f"listening for {seconds:.0f} s: move the arm, by starts and stops ...")
        session.listen_for(seconds)
    found = lag(listener.joints(), listener.sensor())
    click.echo(f"{source}: {found.lag_s * 1e3:.0f} ms later than the joints (correlation {found.alike:.2f}).")
    click.echo("Where that is above 0, add it to the parameter latency_s of the sensor's device.")
    write_json(json_file, {"lag_s": found.lag_s, "alike": found.alike})
