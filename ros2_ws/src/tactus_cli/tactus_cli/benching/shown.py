"""Figures as tables."""

from collections.abc import Mapping
from typing import Any

import click


def show_parts(title: str, rows: dict[str, dict[str, float]]) -> None:
    """Print p50 and p99 of each part, as a table."""
    width = max(24, *(len(name) + 2 for name in (title, *rows)))
    click.echo(f"{title:{width}}{'p50':>9}{'p99':>9}")
    for name, row in rows.items():
        click.echo(f"{name:{width}}{row['p50']:9.3f}{row['p99']:9.3f}")


def show(result: dict[str, Any]) -> None:
    """Print the report as a table."""
    rows = {"touch to command": result["touch_to_command_ms"], "tick lateness": result["tick_lateness_ms"], **result["hops_ms"]}
    show_quantiles(rows)
    kind = "real-time" if result["realtime_scheduling"] else "ordinary"
    click.echo(f"{result['lost_ticks']} of {result['ticks']} ticks lost; {kind} scheduling")
    click.echo("cores in use: " + ", ".join(f"{name} {cores:.2f}" for name, cores in result["cpu"].items()))


def show_quantiles(rows: Mapping[str, Mapping[str, float | None]]) -> None:
    """Print durations [ms] as a table."""
    click.echo(f"{'ms':24}{'p50':>9}{'p99':>9}{'max':>9}")
    for name, row in rows.items():
        click.echo(f"{name:24}" + "".join("        –" if row[key] is None else f"{row[key]:9.3f}" for key in ("p50", "p99", "max")))


def show_broken(what: str, broken: Mapping[str, int]) -> None:
    """Print which limits were broken, and how often."""
    click.echo(f"{what}: " + (", ".join(f"{name} {count}" for name, count in broken.items()) or "none"))
