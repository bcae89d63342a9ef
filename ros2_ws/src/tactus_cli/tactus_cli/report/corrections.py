"""The picture of learning from corrections."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from tactus_cli.report import style

_COLOURS = (style.BLUE, style.VERMILLION, style.GREEN, style.GREY)


def curve(runs: Sequence[Mapping[str, Any]], to: Path) -> None:
    """Draw success of the versions that were evaluated, and interventions per watched episode: over corrections, and over episodes."""
    names = [run["method"] if run["watched"] else f"{run['method']}, nobody watches" for run in runs]
    kinds = list(dict.fromkeys(names))
    with matplotlib.rc_context(style.MATPLOTLIB):
        figure = Figure(figsize=(9.0, 4.8), layout="constrained")
        axes = figure.subplots(2, 2, sharex="col", sharey="row")
        for run, name in zip(runs, names, strict=True):
            colour, points = _COLOURS[kinds.index(name) % len(_COLOURS)], run["success"]
            rate = [point["rate"] for point in points]
            spread = [[point["rate"] - point["low"] for point in points], [point["high"] - point["rate"] for point in points]]
            for column, over in enumerate(("corrections", "lived")):
                at = [point[over] for point in points]
                axes[0, column].errorbar(at, rate, spread, fmt="o-", color=colour, alpha=0.7, elinewidth=0.7, markersize=4)
            if run["watched"]:
                axes[1, 0].plot(run["corrections"], run["interventions_per_episode"], color=colour, alpha=0.7)
                axes[1, 1].plot(range(1, run["lived"] + 1), run["interventions_per_episode"], color=colour, alpha=0.7)
        for name, colour in zip(kinds, _COLOURS, strict=False):
            axes[0, 0].plot([], [], color=colour, label=name)
        axes[0, 0].set(ylim=(-0.02, 1.02), ylabel="success without operator")
        axes[1, 0].set(xlabel="corrections", ylabel="interventions per\nwatched episode", ylim=(0, None))
        axes[1, 1].set(xlabel="episodes")
        figure.legend(loc="outside upper right", ncols=len(kinds))
        to.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(to, dpi=150)
