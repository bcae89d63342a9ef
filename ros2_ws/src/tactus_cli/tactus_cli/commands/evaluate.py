"""Success rate of a policy bundle over many episodes, in lockstep or through the node graph.

Seeds below 100 000 are for demonstrations, 100 000 to 199 999 for tuning; report only what ran on seeds from 200 000 on.

The JSON's `parts` hold, for each part of the score, its mean (`wiped_mean`); for each criterion of success the share of the episodes that
met it (`wiped_ok_rate`, `in_band_ok_rate`, `peak_ok_rate`) and the worst episode (`wiped_min`, `in_band_min`, `peak_force_N_max`).
"""

import time
from pathlib import Path

import click

from tactus_cli.options import SAMPLERS, engine_options, first_seed_option, json_option, realtime_option, write_json
from tactus_core.engines.port import EngineConfig
from tactus_core.policy.joining import JOINS


@click.command(help=__doc__)
@click.option("--task", help="Simulated task; default: the bundle's.")
@click.option("--shift", default="", help="Under other circumstances, by their name (insert: smaller, peg; wipe: stiffer).")
@click.option("--bundle", default="wipe-rdp", show_default=True, help="Policy bundle: a name in models/bundles, or a folder.")
@click.option("--episodes", type=click.IntRange(min=1), default=20, show_default=True, help="How many episodes to run.")
@click.option("--graph", is_flag=True, help="Through the node graph, in real time; default: in lockstep, without ROS.")
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Worker processes in lockstep.")
@click.option("--replan-s", type=click.FloatRange(min=0.01), help="Plan at this age of a chunk instead of the card's; in lockstep.")
@click.option("--sampler", type=click.Choice(SAMPLERS), help="Denoise by this instead of the card's; in lockstep.")
@click.option("--steps", type=click.IntRange(min=1), help="Denoise in so many steps instead of the card's; in lockstep.")
@click.option("--join", type=click.Choice(JOINS), help="How a chunk joins on to those before it.  [default: replace]")
@click.option("--cache", type=click.Path(path_type=Path), help="File of `./tactus cache`, for its sampler and steps; in lockstep.")
@click.option(
    "--encoder", "encoders", multiple=True, type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
    help="Encoder that stands alone and that the policy observes; again for another one, in lockstep.",
)  # fmt: skip
@engine_options
@realtime_option
@first_seed_option
@json_option
def command(
    task: str | None,
    shift: str,
    bundle: str,
    episodes: int,
    graph: bool,
    workers: int,
    replan_s: float | None,
    sampler: str | None,
    steps: int | None,
    join: str | None,
    cache: Path | None,
    encoders: tuple[Path, ...],
    engine: EngineConfig,
    realtime: bool,
    seed: int,
    json_file: Path | None,
) -> None:
    """Run the episodes, print the table, write the JSON."""
    from rich.console import Console

    from tactus_cli.episodes import in_graph, in_lockstep, open_bundle, watched
    from tactus_cli.report.results import summarise, summary_table
    from tactus_nodes.plugins import find_task

    choices = {"sampler": sampler, "steps": steps, "join": join, "cache": cache}
    chosen = {name: value for name, value in choices.items() if value is not None}
    in_lockstep_only = {"replan-s": replan_s, "sampler": sampler, "steps": steps, "cache": cache}
    if graph and (refused := next((name for name, value in in_lockstep_only.items() if value), None)):
        raise click.UsageError(f"--{refused} is for lockstep; in the graph the bundle's card decides.")
    if graph and len(encoders) > 1:
        raise click.UsageError("the graph starts one encoder; a policy that observes several is evaluated in lockstep.")
    folder, card = open_bundle(bundle, task, engine, encoders, **chosen)
    task = card.task
    find_task(task, shift)
    console, seeds, title = Console(), range(seed, seed + episodes), f"{task}{' ' + shift if shift else ''} · {card.name}"
    began_s = time.monotonic()
    chosen |= {} if replan_s is None else {"replan_s": replan_s}
    launched = chosen | {"shift": shift} | ({"encoder": str(encoders[0])} if encoders else {})
    runs = (
        in_graph(task, folder, seeds, realtime, engine, **launched)
        if graph
        else in_lockstep(task, folder, seeds, workers, engine, shift, encoders=encoders, **chosen)
    )
    outcomes = watched(runs, episodes, title, console)
    summary = summarise(task, card.name, outcomes, time.monotonic() - began_s)
    summary |= {"shift": shift, "backend": engine.backend, "precision": engine.precision}
    summary |= chosen if cache is None else chosen | {"cache": str(cache)}
    summary |= {"encoders": list(map(str, encoders))} if encoders else {}
    how = "through the node graph" if graph else "in lockstep"
    console.print(summary_table(summary, how if engine.is_reference else f"{how}, {engine.backend} {engine.precision}"))
    write_json(json_file, summary)
