"""Benchmarks without a graph: the simulated world, the guard, and a policy that is corrected."""

from pathlib import Path
from typing import Any

import click

from tactus_cli.benching.shown import show_broken
from tactus_cli.learning import METHODS
from tactus_cli.options import first_seed_option, json_option, seed_option, write_json


@click.command()
@click.option("--seconds", type=click.FloatRange(min=1.0), default=8.0, show_default=True, help="How much to simulate.")
@seed_option
@json_option
def sim(seconds: float, seed: int, json_file: Path | None) -> None:
    """The wiping world in lockstep, arm and hand in contact: times real time on one core."""
    from tactus_cli.speed import simulation_speed

    result = simulation_speed(seconds, seed)
    click.echo(f"state only             {result['state_only_x_realtime']:6.2f} × real time")
    click.echo(f"with the wrist camera  {result['with_camera_x_realtime']:6.2f} × real time")
    click.echo(f"{result['simulated_s']:.1f} s simulated each, pad in contact in {result['in_contact']:.0%} of it")
    write_json(json_file, result)


@click.command()
@click.option("--proposals", type=click.IntRange(min=1000), default=50_000, show_default=True, help="How many to put through.")
@click.option("--robot", default="panda_allegro", show_default=True, help="Robot whose guard is tried.")
@seed_option
@json_option
def guard(proposals: int, robot: str, seed: int, json_file: Path | None) -> int:
    """Random and hostile proposals through the guard: every limit judged independently, what a step costs. Exit code 1: one was broken."""
    from rich.progress import Progress

    from tactus_cli.guard_fuzz import fuzz
    from tactus_core.guard.config import GuardConfig
    from tactus_nodes.plugins import find_robot

    description = find_robot(robot)
    with Progress(transient=True) as progress:
        bar = progress.add_task("proposals", total=proposals)
        result = fuzz(description, GuardConfig(), proposals, seed, lambda more: progress.advance(bar, more))
    cost = result["step_us"]
    click.echo(f"{result['proposals']} proposals; a step that moves the robot takes {cost['p50']} µs p50, {cost['p99']} µs p99")
    click.echo("verdicts: " + ", ".join(f"{name} {count}" for name, count in result["states"].items()))
    click.echo("reasons: " + ", ".join(f"{name} {count}" for name, count in result["reasons"].items()))
    show_broken("limits broken", result["violations"])
    write_json(json_file, result)
    return 1 if result["violations"] else 0


@click.command()
@click.option("--task", default="insert", show_default=True, help="Simulated task.")
@click.option("--shift", default="smaller", show_default=True, help="Its other circumstances, which the bundle did not learn.")
@click.option("--bundle", default="insert-base", show_default=True, help="Policy bundle, a name or a folder.")
@click.option(
    "--method", "methods", type=click.Choice(METHODS), multiple=True, default=("hil",), show_default=True, help="See ./tactus learn."
)
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="How many times each, from --seed on.")
@click.option("--corrections", type=click.IntRange(min=1), default=60, show_default=True, help="Interventions until learning ends.")
@click.option("--practice", type=click.IntRange(min=1), default=400, show_default=True, help="Episodes until it ends in any case.")
@click.option("--patience", "patience_s", type=float, default=3.0, show_default=True, help="Seconds until the operator helps.")
@click.option("--watched", type=click.FloatRange(0.0, 1.0), default=0.33, show_default=True, help="Share of episodes watched; 0: none.")
@click.option("--every", type=click.IntRange(min=1), default=5, show_default=True, help="Episodes between two versions.")
@click.option("--points", type=click.IntRange(min=2), default=4, show_default=True, help="Versions evaluated, from first to last.")
@click.option("--episodes", type=click.IntRange(min=1), default=50, show_default=True, help="For each success rate.")
@click.option("--first", type=click.IntRange(min=0), default=200_000, show_default=True, help="First seed of these; report from 200000 on.")
@click.option("--data", type=click.Path(path_type=Path), help="Demonstrations of the task; default: runs/data/TASK.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), metavar="FILE", help="YAML of differences from the defaults.")
@click.option(
    "--folder", type=click.Path(path_type=Path), default=Path("runs/corrections"), show_default=True, help="Kept there, and gone on with."
)
@seed_option
@json_option
def corrections(
    methods: tuple[str, ...], seeds: int, seed: int, folder: Path, config_file: Path | None, json_file: Path | None, **chosen: Any
) -> None:
    """A scripted operator corrects a policy on a shifted task: success before and after, and interventions per episode."""
    from tactus_cli.corrections import measure
    from tactus_cli.learning import learn_config

    result = measure(methods, range(seed, seed + seeds), folder, learn_config(config_file, chosen["task"]), chosen)
    for row in result["runs"]:
        click.echo(f"{row['method']} {row['seed']}: {row['corrections'][-1]} corrections in {row['lived']} episodes")
        for at in row["success"]:
            after = f"after {at['corrections']:3d} corrections, {at['lived']:3d} episodes"
            click.echo(f"  {after}: {at['rate']:.2f} [{at['low']:.2f}, {at['high']:.2f}]")
        click.echo(f"  interventions per watched episode, first and last quarter: {row['first_quarter']:.2f}, {row['last_quarter']:.2f}")
    click.echo(f"Versions, logs and the curve are in {folder}")
    write_json(json_file, result)


@click.command()
@click.option("--classifier", default="insert-success", show_default=True, help="Of success: a name in models/bundles, or a folder.")
@click.option("--bundle", default="insert-base", show_default=True, help="Policy bundle that acts, a name or a folder.")
@click.option("--shift", default="", help="Under other circumstances, by their name (insert: smaller, peg; wipe: stiffer).")
@click.option("--episodes", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Processes that film them.")
@click.option(
    "--folder", type=click.Path(path_type=Path), default=Path("runs/success"), show_default=True, help="Films are kept there, by policy."
)
@first_seed_option
@json_option
def success(classifier: str, bundle: str, shift: str, episodes: int, workers: int, folder: Path, seed: int, json_file: Path | None) -> None:
    """A classifier of success beside the task's own word: episodes in lockstep, each filmed until a second after its end."""
    from tactus_cli.judging import film, judged
    from tactus_core.learning.classifier import SuccessClassifier

    judge = SuccessClassifier.load(classifier)
    files = film(folder, bundle, range(seed, seed + episodes), workers, shift)
    result = {"bundle": bundle, "shift": shift, "first_seed": seed, **judged(files, judge)}
    images, late = result["images"], result["delay_s"]
    click.echo(
        f"{result['classifier']} on {bundle}{' ' + shift if shift else ''}: {len(files)} episodes, {result['succeeded']} succeeded; "
        f"right {result['right']}, missed {result['missed']}, false {result['false']}, early {result['early']}"
    )
    if late:
        click.echo(f"success was said {late['median']:.2f} s after it was there (median; {late['max']:.2f} s at most)")
    click.echo(
        f"{images['count']} images, {images['done']} of them done: accuracy {images['accuracy']:.4f}, missed {images['missed']:.4f}, "
        f"false alarms {images['false_alarms']:.4f}, AUC {images['auc']:.4f}"
    )
    write_json(json_file, result)
