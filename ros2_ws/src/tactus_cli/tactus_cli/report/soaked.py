"""What a soak found: tables for the screen, and a figure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from rich import box
from rich.table import Table

from tactus_cli.report import style
from tactus_cli.soak import WARM_UP_S, Sample

_COLOURS = (style.BLUE, style.ORANGE, style.GREEN, style.VERMILLION, style.SKY, style.GREY, style.INK)


def memory_table(result: Mapping[str, Any]) -> Table:
    """Return the table of memory and scheduling per process."""
    table = Table("process", "MB after warm-up", "MB at the end", "growth", "scheduling", box=box.SIMPLE_HEAD)
    for name, row in result["memory_MB"].items():
        scheduling = "SCHED_FIFO" if result["realtime"][name] else "ordinary"
        table.add_row(name, f"{row['start']:.1f}", f"{row['end']:.1f}", f"{row['growth_percent']:+.2f} %", scheduling)
    return table


def timing_table(result: Mapping[str, Any]) -> Table:
    """Return the table of durations."""
    table = Table("ms", "p50", "p99", "max", box=box.SIMPLE_HEAD)
    for name, row in {**result["timing_ms"], "a bare timer beside it": result["machine"]["bare_timer_ms"]}.items():
        table.add_row(name, *("–" if row[key] is None else f"{row[key]:.2f}" for key in ("p50", "p99", "max")))
    return table


def figure(samples: Sequence[Sample], path: Path) -> None:
    """Write the figure: memory per process, and how late ticks came, over time."""
    minutes = [sample.at_s / 60 for sample in samples]
    with matplotlib.rc_context(style.MATPLOTLIB):
        drawing = Figure(figsize=(9.0, 6.0), layout="constrained")
        memory, lateness = drawing.subplots(2, 1, sharex=True)
        for colour, name in zip(_COLOURS, samples[-1].rss_MB, strict=False):
            memory.plot(minutes, [sample.rss_MB[name] for sample in samples], color=colour, label=name)
        memory.axvline(WARM_UP_S / 60, color=style.GREY, linestyle="--", linewidth=1)
        memory.set_ylabel("memory [MB]")
        memory.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        for colour, name in ((style.BLUE, "sim_device"), (style.VERMILLION, "guard")):
            for key, line in (("p99", "-"), ("max", ":")):
                values = [sample.timing[name]["timing"].get("tick_lateness_ms", {}).get(key) or float("nan") for sample in samples]
                lateness.plot(minutes, values, line, color=colour, label=f"{name}, {key}")
        lateness.set(yscale="log", xlabel="time [min]", ylabel="tick lateness [ms]")
        lateness.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        drawing.savefig(path, dpi=130)
