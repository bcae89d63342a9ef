"""Learn from corrections: a process beside the robot, which takes episodes as they come and writes bundle versions.

Episodes are files of one record for all methods (`tactus_core/learning`). Of two calls with the same folders the second goes on where the
first one stopped. A version is a complete bundle: it is written beside, then renamed.

\b
  dagger  fine-tunes the base on what the human did, and on the demonstrations; of a base that plans latents its fast head, without these
  hil     a residual by off-policy reinforcement learning; interventions are demonstrations as well (HIL-SERL's buffers)
  rlif    the same, paid −1 just before each intervention and nothing else
  wsrl    a residual that learns from demonstrations first, collects, then draws none of them any more
"""  # noqa: D301 (click reads a backspace)

import time
from dataclasses import replace
from pathlib import Path

import click

from tactus_cli.learning import METHODS
from tactus_cli.options import json_option, seed_option, write_json
from tactus_core.errors import ConfigError
from tactus_core.learning.classifier import SuccessClassifier
from tactus_core.learning.transitions import Experience
from tactus_core.learning.versions import Versions
from tactus_core.policy.bundle import find_bundle
from tactus_core.policy.card import load_card


@click.command(help=__doc__)
@click.option("--method", type=click.Choice(METHODS), default="hil", show_default=True, help="See above.")
@click.option("--bundle", default="insert-base", show_default=True, help="What was acted by at first: a name, or a folder.")
@click.option("--experience", type=click.Path(path_type=Path), required=True, help="Folder of episodes, which may grow.")
@click.option("--bags", type=click.Path(path_type=Path), help="Folder in which bags appear: their episodes are added to --experience.")
@click.option(
    "--classifier", help="Labels the episodes of --bags that nobody labelled: a name in models/bundles (insert-success), or a folder."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the versions; 000000 has learnt nothing yet.")
@click.option("--data", type=click.Path(path_type=Path), help="Demonstrations of the task; default: runs/data/TASK.")
@click.option("--work", type=click.Path(path_type=Path), help="Checkpoint and log; default: learner/ in --experience.")
@click.option("--every", type=click.IntRange(min=1), default=5, show_default=True, help="Episodes between two versions.")
@click.option(
    "--explore/--quiet",
    help="Versions try more than was learnt: everything within the residual's limits at first, later what lies near. --quiet: they do not; "
    "the newest is written once more where it does.  [default: quiet]",
)
@click.option("--watch", is_flag=True, help="Wait for more episodes, until interrupted.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), metavar="FILE", help="YAML of differences from the defaults.")
@seed_option
@json_option
def command(
    method: str,
    bundle: str,
    experience: Path,
    bags: Path | None,
    classifier: str | None,
    out: Path,
    data: Path | None,
    work: Path | None,
    every: int,
    explore: bool,
    watch: bool,
    config_file: Path | None,
    seed: int,
    json_file: Path | None,
) -> None:
    """Take all episodes that there are, then wait for more or end with a version of all of them."""
    from rich.console import Console
    from rich.progress import TextColumn

    from tactus_cli.bags import Actors, Agreement, Collecting
    from tactus_cli.episodes import progress
    from tactus_cli.learning import Desk, learn_config, learner_at
    from tactus_nodes.realtime import give_way

    give_way()
    if classifier and bags is None:
        raise ConfigError("--classifier judges the images of --bags; episodes of --experience have none. Leave it out, or name the bags.")
    config = learn_config(config_file, load_card(find_bundle(bundle) / "card.yaml").task)
    judge = SuccessClassifier.load(classifier) if classifier else None
    work = work or experience / "learner"
    desk = Desk(bundle, method, seed, every, data, Experience(experience), Versions(out), work, kept=work, explore=explore)
    bar = progress(Console(), TextColumn("{task.fields[note]}"))
    with learner_at(desk, config) as following, bar:
        collecting = Collecting(desk.experience, Actors((bundle, str(out)), config.residual.dt_s), judge) if bags else None
        task, told = bar.add_task(f"{method} · episodes", total=None, note=""), Agreement()
        try:
            while True:
                if collecting is not None and bags is not None:
                    for finding in collecting.news(bags):
                        bar.console.print(str(finding))
                    if judge and collecting.agreement != told:
                        told = replace(collecting.agreement)
                        bar.console.print(str(told))
                values = following.step()
                if values is not None:
                    bar.update(
                        task, completed=following.episodes, total=len(desk.experience.paths()), note=f"{following.corrections} corrections"
                    )
                elif not watch:
                    break
                else:
                    time.sleep(0.5)
        except KeyboardInterrupt:
            if not watch:
                raise
        following.finish()
        newest = desk.versions.paths()[-1]
    click.echo(f"{following.episodes} episodes, {following.corrections} corrections; the newest version is {newest}")
    write_json(json_file, {"method": method, "episodes": following.episodes, "corrections": following.corrections, "version": str(newest)})
