"""The picture of learning from corrections."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from tactus_cli.report import style

_COLOURS = (style.BLUE, style.VERMILLION, style.GREEN, style.GREY)


def curve(runs: Sequence[Mapping[str, Any]], to: Path) -> None:
    """Draw, over the corrections so far, interventions per episode and episodes that succeeded alone; success of the ends as points."""
    methods = sorted({run["method"] for run in runs})
    with matplotlib.rc_context(style.MATPLOTLIB):
        figure = Figure(figsize=(7.0, 4.6), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True)
        for run in runs:
            colour, over = _COLOURS[methods.index(run["method"]) % len(_COLOURS)], run["corrections"]
            above.plot(over, run["alone"], color=colour, alpha=0.6)
            below.plot(over, run["interventions_per_episode"], color=colour, alpha=0.6)
            for at, end in ((0, run["success"]["before"]), (over[-1], run["success"]["after"])):
                above.errorbar(at, end["rate"], [[end["rate"] - end["low"]], [end["high"] - end["rate"]]], fmt="o", color=colour)
        for method, colour in zip(methods, _COLOURS, strict=False):
            below.plot([], [], color=colour, label=method)
        above.set(ylim=(-0.02, 1.02), ylabel="success: ○ without operator,\nline: alone beside it")
        below.set(xlabel="corrections", ylabel="interventions per episode", ylim=(0, None))
        figure.legend(loc="outside upper right", ncols=len(methods))
        to.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(to, dpi=150)
