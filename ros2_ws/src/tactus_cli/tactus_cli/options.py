"""Options that many commands share, and the JSON report that they write."""

import functools
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from tactus_core.engines.port import BACKENDS, PRECISIONS, EngineConfig

json_option = click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the result to FILE, as JSON."
)
seed_option = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of everything random.")

# Seeds below 100 000 are for demonstrations and training, those up to 199 999 for tuning.
TUNING_SEED = 100_000
SAMPLERS = ("ddim", "ddpm", "dpmsolver++")
first_seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=200_000, show_default=True, help="Seed of the first episode; report only from 200000 on."
)
# With fewer, a simulated robot that goes before everything else leaves no core to the planner, and the task fails.
_REALTIME_CORES = 4


def has_cores_for_realtime() -> bool:
    """Return whether this process may use as many cores as a simulated robot under real-time scheduling and its planner need."""
    return len(os.sched_getaffinity(0)) >= _REALTIME_CORES


realtime_option = click.option(
    "--realtime/--no-realtime",
    default=has_cores_for_realtime,
    show_default=f"realtime with {_REALTIME_CORES} cores or more",
    help="Ask for real-time scheduling of what moves the robot.",
)


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--backend and --precision, which the command gets as one `engine`, an EngineConfig."""

    @click.option("--backend", type=click.Choice(BACKENDS), default=BACKENDS[0], show_default=True, help="What runs the networks.")
    @click.option("--precision", type=click.Choice(PRECISIONS), default=PRECISIONS[0], show_default=True, help="What they compute in.")
    @functools.wraps(command)
    def with_engine(*arguments: Any, backend: str, precision: str, **options: Any) -> Any:
        return command(*arguments, engine=EngineConfig(backend, precision), **options)

    return with_engine


observe_option = click.option(
    "--observe", "seconds", type=click.FloatRange(min=0.1), default=40.0, show_default=True, metavar="SECONDS",
    help="For int8, where it is not built yet: how much of simulated episodes on tuning seeds to make its scales from.",
)  # fmt: skip


def write_json(file: Path | None, result: Mapping[str, Any]) -> None:
    """Write `result` to `file`, where one was asked for; makes its folder."""
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(result, indent=2) + "\n")
