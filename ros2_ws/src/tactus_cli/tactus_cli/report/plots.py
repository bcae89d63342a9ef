"""Figures of a report: force over time against its band, and the histogram of touch → command latency."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tactus_cli.report import style
from tactus_cli.report.wiping import Episode
from tactus_sim.wipe.score import BAND_N, COVERAGE, PEAK_N

_DPI = 130


def force_figure(episode: Episode, bundle: str, path: Path) -> None:
    """Write the figure of one episode: measured force against the band, the board's displacement, the marks that are gone."""
    with matplotlib.rc_context(style.MATPLOTLIB):
        figure = Figure(figsize=(9.0, 6.0), layout="constrained")
        force, board, wiped = figure.subplots(3, 1, sharex=True, height_ratios=(3.0, 1.0, 1.0))
        figure.suptitle(f"{bundle}, seed {episode.seed}: {verdict(episode)}", x=0.01, ha="left", fontweight="bold", fontsize=11)
        draw_force(force, episode)
        force.legend(loc="upper right", ncols=3, fontsize=9)
        force.set_ylabel("normal force\nat the wrist [N]")
        draw_board(board, episode)
        board.set_ylabel("board\nmoved [mm]")
        wiped.step(episode.wiped.t_s, 100 * episode.wiped.values, where="post", color=style.GREEN)
        wiped.axhline(100 * COVERAGE, color=style.GREY, linestyle="--", linewidth=1)
        wiped.set(ylim=(-5, 105), ylabel="marks\nwiped [%]", xlabel="time since the episode's start [s]", xlim=(0, episode.duration_s))
        figure.savefig(path, dpi=_DPI)


def draw_force(axes: Axes, episode: Episode) -> None:
    """Draw the measured normal force, its band, and the force that must never be exceeded."""
    axes.axhspan(*BAND_N, color=style.GREEN, alpha=0.15, linewidth=0, label=f"band {BAND_N[0]:g}–{BAND_N[1]:g} N")
    axes.axhline(PEAK_N, color=style.VERMILLION, linestyle="--", linewidth=1.2, label=f"never above {PEAK_N:g} N")
    axes.plot(episode.wrench.t_s, episode.force_N, color=style.BLUE, linewidth=1.1, label="measured")
    axes.set_ylim(-2.0, max(PEAK_N + 4.0, float(episode.force_N.max()) + 1.0))


def draw_board(axes: Axes, episode: Episode) -> None:
    """Draw how far the board is from where it began, along its normal."""
    axes.plot(episode.board_mm.t_s, episode.board_mm.values, color=style.ORANGE, linewidth=1.4)
    axes.set_ylim(-24, 24)
    axes.set_yticks((-20, 0, 20))


def verdict(episode: Episode) -> str:
    """Return how an episode went, in a line."""
    if episode.outcome is None:
        return "not finished"
    parts = episode.outcome.parts
    return (
        f"{'success' if episode.outcome.success else 'failed'}: {parts['wiped']:.0%} wiped, "
        f"{parts['in_band']:.0%} of stroke time in band, contact peak {parts['peak_force_N']:.1f} N"
    )


def latency_figure(latency: Mapping[str, Any], path: Path) -> None:
    """Write the histogram of touch → command latency.

    latency: `touch_to_command_ms` (p50, p99, max), `histogram_ms` (counts, the last bin takes all that is longer), `realtime_scheduling`.
    """
    from tactus_nodes.timing import HISTOGRAM_BIN_MS

    counts = np.array(latency["histogram_ms"])
    quantiles = latency["touch_to_command_ms"]
    last = int(np.nonzero(counts)[0][-1]) + 1
    shown = min(max(last, round(1.2 * quantiles["p99"] / HISTOGRAM_BIN_MS), 10), len(counts))
    end_ms = shown * HISTOGRAM_BIN_MS
    kind = "real-time scheduling" if latency["realtime_scheduling"] else "ordinary scheduling"
    with matplotlib.rc_context(style.MATPLOTLIB):
        figure = Figure(figsize=(8.0, 3.8), layout="constrained")
        axes = figure.subplots()
        axes.bar(np.arange(shown) * HISTOGRAM_BIN_MS, counts[:shown], HISTOGRAM_BIN_MS, align="edge", color=style.BLUE, linewidth=0)
        axes.set_yscale("log")
        axes.set_ylim(0.7, 10.0 * counts.max())
        for name, colour, height in (("p50", style.GREEN, 0.95), ("p99", style.VERMILLION, 0.85)):
            at_ms = min(quantiles[name], end_ms)
            side = "right" if at_ms > 0.75 * end_ms else "left"
            axes.axvline(at_ms, color=colour, linewidth=1.8)
            text = f" {name}  {quantiles[name]:.2f} ms "
            axes.text(at_ms, height, text, transform=axes.get_xaxis_transform(), color=colour, fontweight="bold", ha=side)
        rest = "; last bar: all that is longer" if shown == len(counts) else ""
        axes.set(xlabel=f"touch sampled → guarded command at the device [ms]{rest}", ylabel="samples (log scale)", xlim=(0, end_ms))
        axes.set_title(f"Touch → command at 200 Hz: {counts.sum()} samples, max {quantiles['max']:.2f} ms, {kind}", fontweight="bold")
        figure.savefig(path, dpi=_DPI)
