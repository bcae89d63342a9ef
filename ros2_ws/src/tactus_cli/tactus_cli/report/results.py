"""Outcomes of episodes → the figures that are reported, and the tables that show them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

from tactus_core.policy.success import wilson
from tactus_core.types import Outcome


@dataclass(frozen=True)
class Criterion:
    """What a part of the score has to reach for success: at least `low`, at most `high`."""

    part: str
    low: float = -math.inf
    high: float = math.inf

    def met(self, value: float) -> bool:
        """Return whether `value` is within the limits; NaN is not."""
        return self.low <= value <= self.high

    @property
    def worst(self) -> str:
        """Which extreme of the part is the worst one: `min` or `max`."""
        return "min" if math.isfinite(self.low) else "max"

    def __str__(self) -> str:
        return f"≥ {self.low:g}" if math.isfinite(self.low) else f"≤ {self.high:g}"


def criteria_of(task: str) -> Mapping[str, Criterion]:
    """Return a task's criteria by name; empty for a task whose limits are not known here."""
    if task == "wipe":
        from tactus_cli.report import wiping

        return wiping.CRITERIA
    if task == "insert":
        from tactus_cli.report import insertion

        return insertion.CRITERIA
    return {}


def summarise(task: str, bundle: str, outcomes: Sequence[Outcome], wall_s: float) -> dict[str, Any]:
    """Return the stable keys of `evaluate`, and `outcomes`: one row per episode.

    `parts`: `<part>_mean` of each part of the score; for each criterion `<name>_ok_rate`, the share of the episodes that met it,
    and the worst episode, `<part>_min` or `<part>_max`.
    """
    successes = sum(outcome.success for outcome in outcomes)
    return {
        "task": task,
        "bundle": bundle,
        "episodes": len(outcomes),
        "success_rate": successes / len(outcomes),
        "interval": list(wilson(successes, len(outcomes))),
        "parts": _parts(outcomes, criteria_of(task)),
        "wall_s": round(wall_s, 2),
        "outcomes": [{"seed": outcome.seed, "success": outcome.success, **outcome.parts} for outcome in outcomes],
    }


def _parts(outcomes: Sequence[Outcome], criteria: Mapping[str, Criterion]) -> dict[str, float]:
    columns = {name: np.array([outcome.parts[name] for outcome in outcomes]) for name in outcomes[0].parts}
    parts = {f"{name}_mean": float(values.mean()) for name, values in columns.items()}
    for name, criterion in criteria.items():
        values = columns[criterion.part]
        parts[f"{name}_ok_rate"] = float(np.mean([criterion.met(value) for value in values]))
        parts[f"{criterion.part}_{criterion.worst}"] = float(values.min() if criterion.worst == "min" else values.max())
    return parts


def summary_table(summary: Mapping[str, Any], how: str) -> Table:
    """Return the table of a summary; `how`: the way the episodes were run, for the title."""
    parts, criteria = summary["parts"], {criterion.part: (name, criterion) for name, criterion in criteria_of(summary["task"]).items()}
    seeds = [row["seed"] for row in summary["outcomes"]]
    span = f"{len(seeds)} episodes, seeds {seeds[0]}–{seeds[-1]}" if len(seeds) > 1 else f"1 episode, seed {seeds[0]}"
    title = f"{summary['task']} · {summary['bundle']} · {span}, {how}"
    table = Table(title=title, box=box.SIMPLE_HEAD, title_style="bold", title_justify="left", show_footer=True)
    low, high = summary["interval"]
    table.add_column("part", footer="success\n(95 % interval)")
    table.add_column("mean", justify="right")
    table.add_column("worst", justify="right")
    table.add_column("required", justify="right")
    table.add_column("met in", justify="right", footer=f"[bold]{summary['success_rate']:.1%}[/]\n{low:.1%} … {high:.1%}")
    for key in (key for key in parts if key.endswith("_mean")):
        part = key.removesuffix("_mean")
        row = [part, f"{parts[key]:.3g}"]
        if part in criteria:
            name, criterion = criteria[part]
            row += [f"{parts[f'{part}_{criterion.worst}']:.3g}", str(criterion), f"{parts[f'{name}_ok_rate']:.1%}"]
        table.add_row(*row)
    return table


def episodes_table(task: str, outcomes: Sequence[Outcome]) -> Table:
    """Return a table with a row per episode; what missed its criterion stands out."""
    criteria = {criterion.part: criterion for criterion in criteria_of(task).values()}
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("seed", justify="right")
    for part in outcomes[0].parts:
        table.add_column(f"{part}\n{criteria[part]}" if part in criteria else part, justify="right")
    table.add_column("success")
    for outcome in outcomes:
        cells = [
            f"{value:.3g}" if part not in criteria or criteria[part].met(value) else f"[bold red]{value:.3g}[/]"
            for part, value in outcome.parts.items()
        ]
        table.add_row(str(outcome.seed), *cells, "[green]yes[/]" if outcome.success else "[bold red]no[/]")
    return table
