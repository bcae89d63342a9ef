"""From nothing to bundles, task by task: demonstrations, stages, and what they end in."""

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from tactus_models.config import TrainConfig
    from tactus_models.encoders.frozen import Frozen
    from tactus_sim.demos import Demonstrator

STAGES = {"wipe": ("tokenizer", "latent", "chunk"), "insert": ("base", "residual", "success")}
EPISODES = {"wipe": 320, "insert": 50}

Learnt = tuple[dict[str, Any], dict[str, Path]]  # figures by stage, bundles by stage


def demonstrate(task: str, folder: Path, first_seed: int, episodes: int, workers: int) -> list[dict[str, Any]]:
    """Record what is missing of a task's demonstrations; return how many there are now, round by round."""
    seeds = range(first_seed, first_seed + episodes)
    if task == "insert":
        from tactus_sim.insert.demos import InsertDemonstrator

        return [record_round(folder, seeds, workers, InsertDemonstrator, "demonstrations")]
    from tactus_sim.wipe.demos import WipeDemonstrator

    slow = range(seeds.stop, seeds.stop + episodes // 2)
    return [
        record_round(folder, seeds, workers, partial(WipeDemonstrator, False), "demonstrations"),
        record_round(folder / "slow", slow, workers, partial(WipeDemonstrator, True), "demonstrations by slow hands"),
    ]


def last_seed(task: str, first_seed: int, episodes: int) -> int:
    """Return the last seed that `demonstrate` uses."""
    return first_seed + episodes + (episodes // 2 if task == "wipe" else 0) - 1


def record_round(folder: Path, seeds: range, workers: int, make: "Callable[[], Demonstrator]", title: str) -> dict[str, Any]:
    """Record what is missing of some episodes, with a progress bar; return how many there are now. title: what they are called."""
    from rich.console import Console
    from rich.progress import TextColumn

    from tactus_cli.episodes import progress
    from tactus_cli.quiet import quiet

    click.echo(f"{title}: {workers} processes ...")
    with quiet():  # the processes start with the first one, and inherit the silence
        from tactus_sim.demos import record

        outcomes = record(folder, seeds, workers, make)
        first = next(outcomes)
    with progress(Console(), TextColumn("{task.fields[note]}")) as bar:
        task = bar.add_task(title, total=len(seeds), note="")
        for _ in itertools.chain([first], outcomes):
            bar.update(task, advance=1)
    kept = len(list(folder.glob("*.npz")))
    click.echo(f"{kept} {title} of {len(seeds)} attempts in {folder}")
    return {"attempts": len(seeds), "kept": kept, "folder": str(folder)}


def learn(
    task: str,
    config: "TrainConfig",
    stages: tuple[str, ...],
    data: Path,
    work: Path,
    bundles: Path,
    workers: int,
    encoder: Path | None = None,
) -> dict[str, Any]:
    """Train the stages and export what they end in; return steps, time and metrics by stage, and the bundles.

    encoder: folder of the one whose features are observed in the place of images; such bundles are named after it, too.
    """
    frozen = None if encoder is None else _frozen(encoder)
    results, written = (_insert if task == "insert" else _wipe)(config, stages, data, work, bundles, workers, frozen)
    for stage, folder in written.items():
        how = f"bench success --classifier {folder}" if stage == "success" else f"evaluate --task {task} --bundle {folder}"
        how += f" --encoder {encoder}" if encoder else ""
        click.echo(f"wrote {folder}; how good it is: ./tactus {how} --episodes 20 --seed 100000")
    return {"stages": results, "bundles": {name: str(folder) for name, folder in written.items()}}


def _frozen(encoder: Path) -> "Frozen":
    from tactus_models.encoders.frozen import Frozen

    return Frozen.load(encoder)


def _folders(bundles: Path, config: "TrainConfig", frozen: "Frozen | None") -> dict[str, Path]:
    from tactus_models.config import bundle_folders

    folders = bundle_folders(bundles, config)
    return folders if frozen is None else {stage: at.with_name(f"{at.name}-{frozen.name}") for stage, at in folders.items()}


def _wipe(
    config: "TrainConfig", stages: tuple[str, ...], data: Path, work: Path, bundles: Path, workers: int, frozen: "Frozen | None"
) -> Learnt:
    from tactus_models.train import train_wipe
    from tactus_nodes.plugins import find_robot

    folders = _folders(bundles, config, frozen)
    results = train_wipe(data, work, folders, config, stages, find_robot(config.card.robot), frozen)
    return {name: _figures(result) for name, result in results.items()}, {name: at for name, at in folders.items() if name in stages}


def _insert(
    config: "TrainConfig", stages: tuple[str, ...], data: Path, work: Path, bundles: Path, workers: int, frozen: "Frozen | None"
) -> Learnt:
    # The residual corrects the shipped kind of base, whatever else is trained.
    base = bundles / "insert-base"
    folders = {**_folders(bundles, config, frozen), "residual": bundles / "insert-residual", "success": bundles / "insert-success"}
    results: dict[str, Any] = {}
    if "base" in stages:
        from tactus_models.imitation import train_base
        from tactus_nodes.plugins import find_robot

        results["base"] = _figures(train_base(data, work, folders["base"], config, find_robot(config.card.robot), frozen))
    if "residual" in stages:
        from tactus_cli.quiet import quiet
        from tactus_cli.report.insertion import learning_curve
        from tactus_core.policy.bundle import Bundle
        from tactus_models.residual.train import spec_of, train_residual
        from tactus_nodes.plugins import find_task

        with quiet():
            from tactus_sim.practice import LockstepPractice

            task = find_task("insert")
            practice = LockstepPractice(task, Bundle.load(base), spec_of(config.residual))
        done = train_residual(practice, base, task.robot, data, work, folders["residual"], config)
        learning_curve(work / "residual.jsonl", work / "learning.png")
        results["residual"] = {"steps": done.steps, "duration_s": round(done.spent_s, 1), "validations": done.validations}
    if "success" in stages:
        from tactus_cli.judging import labelled_files
        from tactus_models.success import train_success

        results["success"] = _figures(train_success(labelled_files(data / "frames", bundles, workers), work, folders["success"], config))
    return results, {name: at for name, at in folders.items() if name in stages}


def _figures(result: Any) -> dict[str, Any]:
    return {"steps": result.steps, "duration_s": round(result.duration_s, 1), **result.metrics}
