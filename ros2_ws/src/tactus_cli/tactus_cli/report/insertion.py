"""What a report has to know of the insertion task: the limits of its score, and how its residual learnt."""

import json
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from tactus_cli.report import style
from tactus_cli.report.results import Criterion
from tactus_core.errors import DataError
from tactus_core.types import Array
from tactus_sim.insert.score import INSERTED, PEAK_N

CRITERIA = {"inserted": Criterion("inserted", low=INSERTED), "peak": Criterion("peak_force_N", high=PEAK_N)}
_SMOOTHED = 50  # episodes


def learning_curve(log: Path, to: Path) -> None:
    """Draw a residual's `residual.jsonl`: success and size of the correction over environment steps; raises DataError."""
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    if not rows:
        raise DataError(f"{log}: no log of a residual's training. Train one: ./tactus train --task insert --stage residual")
    steps, success, size = (np.array([row[name] for row in rows]) for name in ("step", "success", "size"))
    validated = [row for row in rows if "validation_success" in row]
    with matplotlib.rc_context(style.MATPLOTLIB):
        figure = Figure(figsize=(7.0, 4.6), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True)
        above.plot(steps / 1e3, _smooth(success), color=style.BLUE, label=f"with exploration, last {_SMOOTHED} episodes")
        below.plot(steps / 1e3, _smooth(size), color=style.BLUE)
        for axes, name in ((above, "validation_success"), (below, "validation_size")):
            at = [row["step"] / 1e3 for row in validated]
            axes.plot(at, [row[name] for row in validated], "o-", color=style.VERMILLION, label="without, on tuning seeds")
        above.set(ylim=(-0.02, 1.02), ylabel="success")
        above.legend(loc="lower right")
        below.set(xlabel="environment steps [thousands], 20 a second", ylabel="mean |correction|,\nshare of its limit", ylim=(0, 1))
        figure.savefig(to, dpi=150)


def _smooth(values: Array) -> Array:
    """Return the mean of the last episodes, of as many as there are."""
    sums = np.cumsum(np.concatenate([[0.0], values]))
    first = np.maximum(np.arange(len(values)) + 1 - _SMOOTHED, 0)
    return np.asarray((sums[1:] - sums[first]) / (np.arange(len(values)) + 1 - first))
