"""Demonstrations, training and bundles of a task, from nothing.

Everything is kept below runs/: a second call goes on where the first one stopped.
"""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tactus_cli.options import json_option, seed_option, write_json
from tactus_core.errors import ConfigError

if TYPE_CHECKING:
    from tactus_models.config import TrainConfig

_FIRST_TUNING_SEED = 100_000
_STAGES = ("tokenizer", "latent", "chunk")


@click.command(help=__doc__)
@click.option("--task", type=click.Choice(["wipe"]), default="wipe", show_default=True, help="Task to learn.")
@click.option(
    "--stage", type=click.Choice(["all", "demos", *_STAGES]), default="all", show_default=True,
    help="One stage alone; latent trains or finishes the tokenizer first.",
)  # fmt: skip
@click.option(
    "--policy", type=click.Choice(["rdp", "unet", "transformer", "act", "flow"]),
    help="One policy alone, from the demonstrations on: bundle wipe-rdp, -chunk, -transformer, -act or -flow; default: rdp and unet.",
)  # fmt: skip
@click.option(
    "--episodes",
    type=click.IntRange(min=2),
    default=320,
    show_default=True,
    help="Demonstrations to attempt; half as many follow with slow hands.",
)
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Processes that demonstrate.")
@click.option("--minutes", type=click.FloatRange(min=0.01), help="Wall-clock budget of each slow policy; default: the configuration's.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), metavar="FILE", help="YAML of differences from the defaults.")
@click.option("--data", type=click.Path(path_type=Path), default=Path("runs/data/wipe"), show_default=True, help="Demonstrations.")
@click.option("--work", type=click.Path(path_type=Path), default=Path("runs/train/wipe"), show_default=True, help="Checkpoints and logs.")
@click.option(
    "--bundles", type=click.Path(path_type=Path), default=Path("runs/bundles"), show_default=True,
    help="Where wipe-rdp and wipe-chunk are written; models/bundles replaces the shipped ones.",
)  # fmt: skip
@seed_option
@json_option
def command(
    task: str,
    stage: str,
    policy: str | None,
    episodes: int,
    workers: int,
    minutes: float | None,
    config_file: Path | None,
    data: Path,
    work: Path,
    bundles: Path,
    seed: int,
    json_file: Path | None,
) -> None:
    """Demonstrate on the seeds from --seed on, then train with --seed."""
    if policy and stage not in ("all", "demos"):
        raise click.UsageError(f"--policy {policy} says which stages are trained: leave --stage {stage} out.")
    last = seed + episodes + episodes // 2
    if last > _FIRST_TUNING_SEED:
        raise ConfigError(
            f"demonstrations would use the seeds {seed} to {last - 1}; expected all below {_FIRST_TUNING_SEED}: those above are "
            "for tuning and for reported results. Choose a smaller --seed or fewer --episodes."
        )
    result: dict[str, Any] = {"task": task}
    if stage in ("all", "demos"):
        result["demonstrations"] = [
            demonstrate(data, range(seed, seed + episodes), workers, slow_hands=False),
            demonstrate(data / "slow", range(seed + episodes, last), workers, slow_hands=True),
        ]
    if stage != "demos":
        from tactus_models.train import chosen_policy, read_config

        config, stages = replace(read_config(config_file), seed=seed), _STAGES if stage == "all" else (stage,)
        if policy:
            config, stages = chosen_policy(config, policy)
        if minutes is not None:
            config = replace(config, minutes_diffusion=minutes)
        result |= learn(config, stages, data, work, bundles)
    write_json(json_file, result)


def demonstrate(folder: Path, seeds: range, workers: int, slow_hands: bool) -> dict[str, Any]:
    """Record what is missing of the demonstrations of `seeds`, with a progress bar; return how many there are now."""
    from rich.console import Console
    from rich.progress import TextColumn

    from tactus_cli.episodes import progress
    from tactus_cli.quiet import quiet

    click.echo(f"demonstrating with {workers} processes ...")
    with quiet():  # the processes start with the first one, and inherit the silence
        from tactus_sim.wipe.demos import record

        outcomes = record(folder, seeds, workers, slow_hands)
        first = next(outcomes)
    with progress(Console(), TextColumn("{task.fields[note]}")) as bar:
        task = bar.add_task("demonstrations by slow hands" if slow_hands else "demonstrations", total=len(seeds), note="")
        for _ in itertools.chain([first], outcomes):
            bar.update(task, advance=1)
    kept = len(list(folder.glob("*.npz")))
    click.echo(f"{kept} demonstrations of {len(seeds)} attempts in {folder}")
    return {"attempts": len(seeds), "kept": kept, "folder": str(folder)}


def learn(config: "TrainConfig", stages: tuple[str, ...], data: Path, work: Path, bundles: Path) -> dict[str, Any]:
    """Train the stages and export what they end in; return steps, time and held-out metrics by stage, and the bundles."""
    from tactus_models.train import bundle_folders, train_wipe

    folders = bundle_folders(bundles, config)
    results = train_wipe(data, work, folders, config, stages)
    written = {kind: str(folder) for kind, folder in folders.items() if kind in stages}
    for folder in written.values():
        click.echo(f"wrote {folder}; how good it is: ./tactus evaluate --bundle {folder} --episodes 20 --seed 100000")
    return {
        "stages": {name: {"steps": r.steps, "duration_s": round(r.duration_s, 1), **r.metrics} for name, r in results.items()},
        "bundles": written,
    }
