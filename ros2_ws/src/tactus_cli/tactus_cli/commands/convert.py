"""Recordings → a data set for learning: LeRobot v3, zarr as Diffusion Policy and RDP read it, transitions for tactus learn, or frames.

SOURCES are folders of bags that the recorder wrote, or LeRobot data sets (v2.1, v3). Gaps, jumps and mis-timed frames are named; with
--check alone they are looked for, and nothing is written. The bags stay the truth: a data set can be made again. No GPU.

Transitions need the bundles that acted (--bundle), and are added to those that are in FOLDER already, each episode once. An episode with
a hole, or in which another bundle acted, is left out and told; the exit code is 1 then. Frames are the images of labelled episodes, for
tactus train --stage success; --bundle names a policy of the robot, whoever acted.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tactus_cli.options import json_option, write_json
from tactus_core.errors import ConfigError

if TYPE_CHECKING:
    from tactus_core.datasets.findings import Finding

_SHOWN = 20


@click.command(help=__doc__)
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--to",
    type=(click.Choice(["lerobot", "zarr", "transitions", "frames"]), click.Path(path_type=Path)),
    metavar="FORMAT FOLDER",
    help="lerobot or zarr, and a new folder; or transitions or frames, and a folder of episodes.",
)
@click.option("--check", is_flag=True, help="Only look: nothing is written, and the exit code is 1 where something is wrong.")
@click.option("--rate-hz", type=click.IntRange(1, 1000), help="Rows per second of a bag's episodes.  [default: 30]")
@click.option("--task", metavar="TEXT", help="What the robot was to do in the bags, as a policy is told.")
@click.option("--robot", metavar="NAME", help="The robot, for the data set's metadata.")
@click.option(
    "--bundle",
    "bundles",
    multiple=True,
    help="For transitions: who acted: a name, a folder, a folder of versions; several times. For frames: a policy of the robot.",
)
@click.option(
    "--classifier",
    help="For transitions: labels the episodes that nobody labelled: a name in models/bundles (insert-success), or a folder.",
)
@json_option
def command(
    sources: tuple[Path, ...],
    to: tuple[str, Path] | None,
    check: bool,
    rate_hz: int | None,
    task: str | None,
    robot: str | None,
    bundles: tuple[str, ...],
    classifier: str | None,
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
    _require_fit(to, bundles, classifier, any(given is not None for given in (rate_hz, task, robot)))
    if to is not None and to[0] == "frames":
        return _into_frames(sources, to[1], bundles, json_file)
    if to is not None and to[0] == "transitions":
        return _into_experience(sources, to[1], bundles, classifier, json_file)
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
    _tell(findings)
    click.echo(f"{count} episodes" + (f", {rows} rows, in {to[1]}" if to else "") + f"; {len(findings)} findings")
    listed = [finding.__dict__ for finding in findings]
    write_json(json_file, {"episodes": count, "rows": rows, "folder": str(to[1]) if to else None, "findings": listed})
    return 1 if check and findings else 0


def _require_fit(to: tuple[str, Path] | None, bundles: tuple[str, ...], classifier: str | None, described: bool) -> None:
    """Raise ConfigError where options contradict each other. described: rate, task or robot were given."""
    kind = to[0] if to else ""
    if (kind in ("transitions", "frames")) != bool(bundles):
        raise ConfigError("expected --bundle just with --to transitions or frames FOLDER. Name who acted: tactus convert --help.")
    if classifier and kind != "transitions":
        raise ConfigError("--classifier labels the episodes of --to transitions FOLDER. Leave it out, or convert to those.")
    if bundles and described:
        raise ConfigError(f"{kind} have the rate, task and robot of the bundles that were given. Leave --rate-hz, --task and --robot out.")


def _tell(findings: "Sequence[Finding]") -> None:
    for finding in findings[:_SHOWN]:
        click.echo(str(finding))
    if len(findings) > _SHOWN:
        click.echo(f"... and {len(findings) - _SHOWN} more; --json FILE has all of them")


def _into_experience(
    sources: tuple[Path, ...], folder: Path, bundles: tuple[str, ...], classifier: str | None, json_file: Path | None
) -> int:
    """Add the episodes of bags to an experience; return 1 where one was left out."""
    from tactus_cli.bags import Actors, Collecting
    from tactus_core.learning.bags import Lived
    from tactus_core.learning.classifier import SuccessClassifier
    from tactus_core.learning.transitions import Experience
    from tactus_models.config import LearnConfig

    judge = SuccessClassifier.load(classifier) if classifier else None
    collecting = Collecting(Experience(folder), Actors(bundles, LearnConfig().residual.dt_s), judge)
    found = [one for source in sources for one in collecting.take(source)]
    episodes = [one for one in found if isinstance(one, Lived)]
    findings = [one for one in found if not isinstance(one, Lived)]
    _tell(findings)
    rows, taken = (sum(count(one.transitions) for one in episodes) for count in (len, lambda lived: lived.interventions))
    off = max((float(one.off.max(initial=0.0)) for one in episodes), default=0.0)
    click.echo(f"{len(episodes)} episodes, {rows} decisions, {taken} interventions, added to {folder}; {len(findings)} left out")
    click.echo(f"what the policy proposed is at most {off:.1e} m or rad from what its bundle makes of the record")
    listed = [finding.__dict__ for finding in findings]
    told = {"episodes": len(episodes), "rows": rows, "interventions": taken, "folder": str(folder), "off": off, "findings": listed}
    if judge:
        click.echo(str(collecting.agreement))
        told["classifier"] = {"id": judge.card.id, **collecting.agreement.__dict__}
    write_json(json_file, told)
    return 1 if findings else 0


def _into_frames(sources: tuple[Path, ...], folder: Path, bundles: tuple[str, ...], json_file: Path | None) -> int:
    """Write the images of labelled episodes, each under the time at which it began; return 1 where one was left out."""
    from rich.progress import track

    from tactus_core.datasets.bag import Bag
    from tactus_core.datasets.findings import Finding
    from tactus_core.learning import labels, shown
    from tactus_core.policy.bundle import find_bundle
    from tactus_core.policy.card import load_card
    from tactus_nodes.plugins import find_robot

    card = load_card(find_bundle(bundles[0]) / "card.yaml")
    findings, counts = list[Finding](), list[int]()
    for source in track(sources, description="bags"):
        for found in labels.labelled(Bag(source), find_robot(card.robot), card):
            if isinstance(found, Finding):
                findings.append(found)
                continue
            start_ns, arrays = found
            shown.write(folder / f"{start_ns}.npz", arrays)
            counts.append(int((arrays["done"] == 1).sum()))
    _tell(findings)
    click.echo(f"{len(counts)} episodes with {sum(counts)} images of success in {folder}; {len(findings)} left out")
    listed = [finding.__dict__ for finding in findings]
    write_json(json_file, {"episodes": len(counts), "successes": sum(counts), "folder": str(folder), "findings": listed})
    return 1 if findings else 0
