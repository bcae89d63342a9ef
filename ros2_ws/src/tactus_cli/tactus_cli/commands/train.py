"""Demonstrations, training and bundles of a task, from nothing.

Everything is kept below runs/: a second call goes on where the first one stopped.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from tactus_cli.options import TUNING_SEED, json_option, seed_option, write_json
from tactus_cli.training import EPISODES, STAGES, demonstrate, last_seed, learn
from tactus_core.datasets.replay_data import is_data_set
from tactus_core.errors import ConfigError
from tactus_core.perception.beside import image_encoder

# Stages that learn nothing of images, or from a base that has an encoder of its own.
_BLIND = ("demos", "tokenizer", "residual", "success")


@click.command(help=__doc__)
@click.option("--task", type=click.Choice(list(STAGES)), default="wipe", show_default=True, help="Task to learn.")
@click.option(
    "--stage", type=click.Choice(["all", "demos", *(stage for stages in STAGES.values() for stage in stages)]), default="all",
    show_default=True, help="One stage alone: tokenizer, latent (trains or finishes the tokenizer first), chunk of wipe; base, residual "
    "(reinforcement learning on insert-base of --bundles), success (classifier, of labelled images in DATA/frames) of insert.",
)  # fmt: skip
@click.option(
    "--policy", type=click.Choice(["rdp", "rdp-transformer", "unet", "transformer", "act", "flow"]),
    help="One policy alone, from the demonstrations on: bundle wipe-rdp, -rdp-transformer, -chunk, -transformer, -act or -flow (default: "
    "rdp and unet); insert-base (unet; default), -transformer, -act or -flow.",
)  # fmt: skip
@click.option(
    "--teacher", metavar="BUNDLE", help="What rdp-transformer learns from: a name in models/bundles (wipe-rdp unless told), or a folder."
)  # fmt: skip
@click.option(
    "--encoder", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
    help="Encoder of images (./tactus export backbone) that stays as it is: policies observe its features in the place of images.",
)  # fmt: skip
@click.option(
    "--episodes", type=click.IntRange(min=2), help="Demonstrations to attempt (wipe: 320, then half as many with slow hands; insert: 50)."
)  # fmt: skip
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Processes that demonstrate, or film.")
@click.option("--minutes", type=click.FloatRange(min=0.01), help="Wall-clock budget of each slow policy; default: the configuration's.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), metavar="FILE", help="YAML of differences from the defaults.")
@click.option(
    "--data", type=click.Path(path_type=Path),
    help="Demonstrations, made where they are missing; or a data set of recordings (docs/datasets.md). Default: runs/data/TASK.",
)  # fmt: skip
@click.option("--work", type=click.Path(path_type=Path), help="Checkpoints and logs; default: runs/train/TASK.")
@click.option(
    "--bundles", type=click.Path(path_type=Path), default=Path("runs/bundles"), show_default=True,
    help="Where the bundles are written; models/bundles replaces the shipped ones.",
)  # fmt: skip
@seed_option
@json_option
def command(
    task: str,
    stage: str,
    policy: str | None,
    teacher: str | None,
    encoder: Path | None,
    episodes: int | None,
    workers: int,
    minutes: float | None,
    config_file: Path | None,
    data: Path | None,
    work: Path | None,
    bundles: Path,
    seed: int,
    json_file: Path | None,
) -> None:
    """Demonstrate on the seeds from --seed on, then train with --seed."""
    if stage not in ("all", "demos", *STAGES[task]):
        raise ConfigError(f"--stage {stage} is none of task '{task}'; choose from all, demos, {', '.join(STAGES[task])}.")
    if policy and stage not in ("all", "demos"):
        raise click.UsageError(f"--policy {policy} says which stages are trained: leave --stage {stage} out.")
    if teacher and policy != "rdp-transformer":
        raise click.UsageError(f"--teacher {teacher} is for --policy rdp-transformer; no other policy learns from a bundle.")
    if encoder and (stage in _BLIND or policy == "rdp-transformer"):
        raise click.UsageError(f"--encoder {encoder} is for policies that see: base, latent, chunk; not for {policy or stage}.")
    if encoder:
        image_encoder(encoder)  # what is wrong with it is said before anything is demonstrated
    attempts = episodes or EPISODES[task]
    last = last_seed(task, seed, attempts)
    if last >= TUNING_SEED:
        raise ConfigError(
            f"demonstrations would use the seeds {seed} to {last}; expected all below {TUNING_SEED}: those above are "
            "for tuning and for reported results. Choose a smaller --seed or fewer --episodes."
        )
    data, work = data or Path("runs/data") / task, work or Path("runs/train") / task
    result: dict[str, Any] = {"task": task}
    given = is_data_set(data)
    if given and stage in ("demos", "residual", "success"):
        raise ConfigError(f"--stage {stage} is of demonstrations by the expert; {data} is a data set of recordings. Choose another --data.")
    if stage != "demos":
        from tactus_models import config as configs

        stages = _stages(task, stage, given or encoder is not None)
        config = replace(configs.read_config(config_file, configs.INSERT if task == "insert" else configs.WIPE), seed=seed)
        if policy:
            config, stages = configs.chosen_policy(config, policy)
        if teacher:
            config = replace(config, distil=replace(config.distil, teacher=teacher))
        if minutes is not None:
            config = replace(config, minutes_diffusion=minutes)
    if stage in ("all", "demos") and not given:
        result["demonstrations"] = demonstrate(task, data, seed, attempts, workers)
    if stage != "demos":
        result |= learn(task, config, stages, data, work, bundles, workers, encoder)
    write_json(json_file, result)


def _stages(task: str, stage: str, given: bool) -> tuple[str, ...]:
    """Return what is trained; given: from a data set, or on an encoder, neither of which has a residual or a success to learn from."""
    if stage != "all":
        return (stage,)
    return tuple(name for name in STAGES[task] if not (given and name in ("residual", "success")))
