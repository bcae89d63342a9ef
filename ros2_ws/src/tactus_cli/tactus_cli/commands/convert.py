"""Recordings → a data set for learning: LeRobot v3, or zarr as Diffusion Policy and RDP read it. No ROS, no GPU.

SOURCES are folders of bags that the recorder wrote, or LeRobot data sets (v2.1, v3). Gaps, jumps and mis-timed frames are named; with
--check alone they are looked for, and nothing is written. The bags stay the truth: a data set can be made again.
"""

from pathlib import Path

import click

from tactus_cli.options import json_option, write_json
from tactus_core.errors import ConfigError

_SHOWN = 20


@click.command(help=__doc__)
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--to",
    type=(click.Choice(["lerobot", "zarr"]), click.Path(path_type=Path)),
    metavar="FORMAT FOLDER",
    help="lerobot or zarr, and a new folder.",
)
@click.option("--check", is_flag=True, help="Only look: nothing is written, and the exit code is 1 where something is wrong.")
@click.option("--rate-hz", type=click.IntRange(1, 1000), help="Rows per second of a bag's episodes.  [default: 30]")
@click.option("--task", metavar="TEXT", help="What the robot was to do in the bags, as a policy is told.")
@click.option("--robot", metavar="NAME", help="The robot, for the data set's metadata.")
@json_option
def command(
    sources: tuple[Path, ...],
    to: tuple[str, Path] | None,
    check: bool,
    rate_hz: int | None,
    task: str | None,
    robot: str | None,
    json_file: Path | None,
) -> int:
    """Convert or check, with a progress bar; then tell what is wrong."""
    from rich.console import Console
    from rich.progress import TextColumn

    from tactus_cli.episodes import progress
    from tactus_core.datasets.convert import Source, convert
    from tactus_core.datasets.findings import Finding

    if check == (to is not None):
        raise ConfigError("expected either --to FORMAT FOLDER or --check. Give one of them: tactus convert --help.")
    findings: list[Finding] = []
    count = rows = 0
    with progress(Console(), TextColumn("{task.fields[note]}")) as bar:
        shown = bar.add_task("episodes", total=len(sources), note="reading")

        def opened(source: Source) -> None:
            left = len(sources) - 1 - list(sources).index(source.path)
            bar.update(shown, total=count + source.count + left, note=source.path.name)

        if to is None:
            for path in sources:
                source = Source.open(path)
                opened(source)
                findings += source.findings()
                count += source.count
                bar.update(shown, completed=count)
        else:
            for made in convert(sources, *to, rate_hz, task, robot, opened):
                if isinstance(made, Finding):
                    findings.append(made)
                    continue
                count, rows = count + 1, rows + made.rows
                bar.update(shown, advance=1)
            if to[0] == "lerobot":
                bar.update(shown, note="checking what was written")
                findings += Source.open(to[1]).findings()
    for finding in findings[:_SHOWN]:
        click.echo(str(finding))
    if len(findings) > _SHOWN:
        click.echo(f"... and {len(findings) - _SHOWN} more; --json FILE has all of them")
    click.echo(f"{count} episodes" + (f", {rows} rows, in {to[1]}" if to else "") + f"; {len(findings)} findings")
    listed = [finding.__dict__ for finding in findings]
    write_json(json_file, {"episodes": count, "rows": rows, "folder": str(to[1]) if to else None, "findings": listed})
    return 1 if check and findings else 0
