"""Say what is installed, what is missing, and which command mends it."""

from pathlib import Path

import click

from tactus_cli.options import json_option, write_json


@click.command(help=__doc__)
@json_option
def command(json_file: Path | None) -> int:
    """Show all findings; the exit code is 1 if something needed is missing."""
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
