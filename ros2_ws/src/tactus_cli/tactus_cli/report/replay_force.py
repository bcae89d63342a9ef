"""Force in a replay: the bias, what was left out and why, the blows that were passed on, and a figure of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import scipy.ndimage
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tactus_cli.report import replay_motion, style
from tactus_cli.report.bag import Series
from tactus_cli.report.replayed import Replayed
from tactus_core.types import Array
from tactus_nodes import topics

_DPI = 130
_AXES = (("x", style.BLUE), ("y", style.ORANGE), ("z", style.GREEN))
# A blow: force that leaves its own running median by so much. Faster than a hand, slower than a glitch.
_BLOW_N, _MEDIAN_READINGS = 1.5, 81
_ZOOM_S = 0.12


@dataclass(frozen=True)
class Jump:
    """Force that jumped: when, by how much, how many readings long, and what was done."""

    t_s: float
    size_N: float
    readings: int
    done: str


@dataclass(frozen=True)
class Force:
    """Force in the recording's time. raw: records, (n, 3). passed: what the filter let through. counts: the filter's own, at the end."""

    raw: Series
    passed: Series
    bias_N: Array | None
    bias_t_s: float
    counts: dict[str, int]
    jumps: tuple[Jump, ...]


def read_force(replayed: Replayed) -> Force:
    """Return the forces of a replay, and every jump with what was done."""
    raw, passed = replayed[topics.WRENCH_RAW], replayed[topics.WRENCH]
    events = replayed[topics.WRENCH_EVENTS]
    bias_N, bias_t_s, counts, spikes = None, float("nan"), {}, []
    for t_s, (kind, values) in zip(events.t_s, events.values, strict=True):
        if kind == "bias":
            bias_N, bias_t_s = np.array(values["value"][:3]), t_s
        elif kind == "counts":
            counts = values
        elif kind == "spike":
            spikes.append(Jump(float(t_s), values["excess"], 1, "left out: it jumped alone"))
    jumps = sorted([*spikes, *_blows(raw, passed, bias_N, [spike.t_s for spike in spikes])], key=lambda jump: jump.t_s)
    return Force(raw, passed, bias_N, float(bias_t_s), counts, tuple(jumps))


def _blows(raw: Series, passed: Series, bias_N: Array | None, lone_s: Sequence[float]) -> list[Jump]:
    if bias_N is None or len(raw.t_s) < _MEDIAN_READINGS:
        return []
    # Readings that are new, and did not jump alone.
    new = np.concatenate([[True], (np.diff(raw.values, axis=0) != 0.0).any(axis=1)]) & ~_among(raw.t_s, lone_s)
    t_s, force_N = raw.t_s[new], raw.values[new]
    off_N = np.linalg.norm(force_N - scipy.ndimage.median_filter(force_N, (_MEDIAN_READINGS, 1), mode="nearest"), axis=1)
    near = scipy.ndimage.binary_dilation(off_N > _BLOW_N, iterations=_MEDIAN_READINGS // 4)
    labels, count = scipy.ndimage.label(near)
    blows = []
    for label in range(1, count + 1):
        rows = np.flatnonzero((labels == label) & (off_N > _BLOW_N))
        peak = rows[np.argmax(off_N[rows])]
        whole = bool(_among(t_s[rows], passed.t_s).all())
        done = "passed on whole: it lasted" if whole else "passed on in part"
        blows.append(Jump(float(t_s[peak]), float(off_N[peak]), len(rows), done))
    return blows


def _among(t_s: Array, others_s: Sequence[float]) -> NDArray[np.bool_]:
    """Return which of the times are among the others, but for the rounding of stamps."""
    others = np.concatenate([[-np.inf], others_s, [np.inf]])
    after = np.searchsorted(others, t_s)
    return np.minimum(t_s - others[after - 1], others[after] - t_s) < 1e-5


def summarise(force: Force) -> dict[str, Any]:
    """Return the figures of the report."""
    return {
        "bias_N": None if force.bias_N is None else [round(float(v), 4) for v in force.bias_N],
        "bias_known_s": round(force.bias_t_s, 3),
        "counts": force.counts,
        "jumps": [{"t_s": round(j.t_s, 4), "size_N": round(j.size_N, 3), "readings": j.readings, "done": j.done} for j in force.jumps],
    }


def figure(replayed: Replayed, force: Force, title: str, path: Path) -> None:
    """Write the figure: raw and filtered force, the guard, and the largest jumps from close by."""
    close = sorted(sorted(force.jumps, key=lambda jump: -jump.size_N)[:4], key=lambda jump: jump.t_s)
    with matplotlib.rc_context(style.MATPLOTLIB):
        fig = Figure(figsize=(12.0, 10.5), layout="constrained")
        fig.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=12)
        grid = fig.add_gridspec(4, max(len(close), 1), height_ratios=(2.0, 2.2, 0.6, 2.2))
        raw = fig.add_subplot(grid[0, :])
        _draw_three(raw, force.raw, "raw", linewidth=0.8)
        raw.set_title("raw: as the sensor gave it, bias included")
        if force.bias_N is not None:
            raw.axvspan(0.0, force.bias_t_s, color=style.LIGHT, alpha=0.7, linewidth=0, label="bias is measured")
        raw.legend(loc="lower left", ncols=4, fontsize=9)
        passed = fig.add_subplot(grid[1, :], sharex=raw)
        _draw_three(passed, force.passed, "passed on", linewidth=0.8)
        passed.set_title("passed on: free of bias, no glitch, no repeated reading")
        _mark(passed, force.jumps)
        guard = fig.add_subplot(grid[2, :], sharex=raw)
        replay_motion.draw_guard(guard, replayed)
        guard.set(xlim=(0, replayed.info.duration_s), xlabel="time in the recording [s]")
        for column, jump in enumerate(close):
            _draw_close(fig.add_subplot(grid[3, column]), force, jump)
        fig.savefig(path, dpi=_DPI)


def _draw_three(axes: Axes, series: Series, label: str, **style_of: Any) -> None:
    for i, (name, colour) in enumerate(_AXES):
        if len(series.t_s):
            axes.plot(series.t_s, series.values[:, i], color=colour, label=f"{name}, {label}", **style_of)
    axes.set_ylabel("force [N]")


def _mark(axes: Axes, jumps: Sequence[Jump]) -> None:
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.18 * (high - low))
    for kind, marker, colour in (("left out", "x", style.VERMILLION), ("passed on", "v", style.INK)):
        chosen = [jump.t_s for jump in jumps if jump.done.startswith(kind)]
        what = "single reading, left out" if kind == "left out" else "blow, passed on"
        axes.plot(chosen, [high + 0.09 * (high - low)] * len(chosen), marker, color=colour, label=f"{what} ({len(chosen)})")
    axes.legend(loc="lower left", ncols=5, fontsize=9)


def _draw_close(axes: Axes, force: Force, jump: Jump) -> None:
    start_s, end_s = jump.t_s - _ZOOM_S / 2, jump.t_s + _ZOOM_S / 2
    bias_N = force.bias_N if force.bias_N is not None else np.zeros(3)
    raw, passed = force.raw.cut(start_s, end_s), force.passed.cut(start_s, end_s)
    for i, (_, colour) in enumerate(_AXES):
        axes.plot(1e3 * (raw.t_s - _ZOOM_S / 2), raw.values[:, i] - bias_N[i], ".", color=colour, markersize=5, alpha=0.35)
        if len(passed.t_s):
            axes.plot(1e3 * (passed.t_s - _ZOOM_S / 2), passed.values[:, i], color=colour, linewidth=1.1)
    axes.axvline(0.0, color=style.VERMILLION if jump.done.startswith("left out") else style.INK, linewidth=1, linestyle=":")
    axes.set_title(
        f"{jump.t_s:.2f} s: {jump.size_N:.2f} N, {jump.readings} reading{'s' if jump.readings > 1 else ''}\n{jump.done}", fontsize=9
    )
    axes.set(xlabel="[ms]; dots: raw less bias, lines: passed on")
    axes.xaxis.label.set_size(8)
