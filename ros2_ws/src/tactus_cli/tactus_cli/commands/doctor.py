"""Say what is installed, what is missing, and which command mends it.

With --contract: say for every input of every node of a launch file how old it may be, and what happens when it is older.
`tactus doctor --contract launch/sim.launch.xml name:=value`; the file is launch/sim.launch.xml where none is given.
"""

from pathlib import Path

import click

from tactus_cli.options import json_option, write_json


@click.command(help=__doc__)
@click.argument("arguments", nargs=-1, metavar="[FILE] [NAME:=VALUE]...")
@click.option("--contract", is_flag=True, help="Show the freshness contract of FILE, with these launch arguments.")
@json_option
def command(arguments: tuple[str, ...], contract: bool, json_file: Path | None) -> int:
    """Show all findings; the exit code is 1 if something needed is missing."""
    if contract:
        return show_contract(arguments, json_file)
    if arguments:
        raise click.UsageError("a launch file and its arguments go with --contract only")
    from rich.console import Console
    from rich.table import Column, Table

    from tactus_cli.health import findings

    marks = {"ok": "[green]ok[/]", "missing": "[red]missing[/]", "optional": "[yellow]optional[/]"}
    table = Table("part", "", Column("found", overflow="fold"), Column("what mends it", overflow="fold"))
    results = findings()
    for finding in results:
        table.add_row(finding.part, marks[finding.state], finding.found, finding.remedy)
    Console().print(table)
    healthy = all(finding.state != "missing" for finding in results)
    write_json(json_file, {"healthy": healthy, "findings": [vars(finding) for finding in results]})
    return 0 if healthy else 1


def show_contract(arguments: tuple[str, ...], json_file: Path | None) -> int:
    """Show the contract of a launch file as one table."""
    from rich.console import Console
    from rich.table import Column, Table

    from tactus_cli.bringup import launch_file
    from tactus_cli.commands.launch import parse_arguments
    from tactus_cli.contract import contract_of

    named = bool(arguments) and ":=" not in arguments[0]
    file = Path(arguments[0]) if named else launch_file("sim.launch.xml")
    rows = contract_of(file, parse_arguments(arguments[1:] if named else arguments))
    ages = [Column(name, justify="right") for name in ("oldest [s]", "frozen [s]")]
    table = Table(Column("node", no_wrap=True), Column("input", no_wrap=True), *ages, Column("when it is older", overflow="fold"))
    above = ""
    for row in rows:
        if above not in ("", row.node):
            table.add_section()
        name = row.node if row.node != above else ""
        table.add_row(name, row.topic, _seconds(row.max_age_s), _seconds(row.frozen_s), row.reaction)
        above = row.node
    click.echo(file)
    Console().print(table)
    write_json(json_file, {"file": str(file), "contract": [vars(row) for row in rows]})
    return 0


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"
