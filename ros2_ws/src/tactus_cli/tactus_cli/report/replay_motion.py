"""What guard and policy did in a replay: the guard's states over time, and its proposals beside those that were recorded."""

import itertools
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tactus_cli.report import style
from tactus_cli.report.bag import Series
from tactus_cli.report.replayed import Replayed
from tactus_nodes import topics

_DPI = 130
_COLOURS = {"running": style.GREEN, "slowing": style.ORANGE, "holding": style.SKY, "stopped": style.VERMILLION}


def figure(replayed: Replayed, recorded: Series, title: str, path: Path) -> None:
    """Write the figure of the proposed tool position along each axis, and the guard's state."""
    proposals = replayed[topics.PROPOSAL]
    with matplotlib.rc_context(style.MATPLOTLIB):
        fig = Figure(figsize=(11.0, 7.5), layout="constrained")
        fig.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=12)
        *axes, guard = fig.subplots(4, 1, sharex=True, height_ratios=(2.0, 2.0, 2.0, 0.8))
        for i, (name, one) in enumerate(zip("xyz", axes, strict=True)):
            for series, label, style_of in ((recorded, "recorded", _RECORDED), (proposals, "replayed", _REPLAYED)):
                if len(series.t_s):
                    one.plot(series.t_s, [1e3 * T[i, 3] for T in series.values], label=label, **style_of)
            one.set_ylabel(f"{name} [mm]")
        if axes[0].lines:
            axes[0].legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=2)
        axes[0].set_title("position that the fast policy proposes for the tool")
        draw_guard(guard, replayed)
        guard.set(xlabel="time in the recording [s]", xlim=(0, replayed.info.duration_s))
        fig.savefig(path, dpi=_DPI)


# Points, not lines: where nothing was proposed, nothing is drawn.
_RECORDED = {"color": style.GREY, "marker": ".", "markersize": 7, "linestyle": "none", "alpha": 0.5}
_REPLAYED = {"color": style.BLUE, "marker": ".", "markersize": 2.5, "linestyle": "none"}


def draw_guard(axes: Axes, replayed: Replayed, per_s: float = 1.0) -> None:
    """Draw the guard's state over time as a coloured strip, with its reasons written in; `per_s`: units of the axis in a second."""
    verdicts = replayed[topics.VERDICT]
    edges = [0, *(i for i in range(1, len(verdicts.t_s)) if verdicts.values[i] != verdicts.values[i - 1]), len(verdicts.t_s)]
    labelled: set[str] = set()
    for first, after in itertools.pairwise(edges):
        if first == after:
            continue
        state, reasons = verdicts.values[first]
        start, end = verdicts.t_s[first] * per_s, verdicts.t_s[min(after, len(verdicts.t_s) - 1)] * per_s
        axes.axvspan(start, end, color=_COLOURS[state], linewidth=0, label=state if state not in labelled else None)
        labelled.add(state)
        low, high = max(start, 0.0), min(end, replayed.info.duration_s * per_s)
        if high - low > 0.15 * replayed.info.duration_s * per_s:
            axes.text((low + high) / 2, 0.5, ", ".join((state, *reasons)), ha="center", va="center", fontsize=9, clip_on=True)
    axes.set(yticks=(), ylim=(0, 1), ylabel="guard")
    axes.grid(False)
    if len(labelled) > 1:
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.95), ncols=4, fontsize=8)
