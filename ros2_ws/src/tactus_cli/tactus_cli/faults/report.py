"""Trials → the stable keys of `faults --json`, a table for the screen and for the README, and a figure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

from tactus_cli.faults.kinds import Answer, Kind
from tactus_cli.faults.limits import Violation
from tactus_cli.faults.trial import Trial

_COLUMNS = ("fault", "safe p50 ms", "max", "bound", "rest ms", "peak N", "over limit", "resumed", "recovery", "")
_LEFT = ("fault", "recovery", "")


def summarise(kind: Kind, trials: Sequence[Trial]) -> dict[str, Any]:
    """Return the row of one kind. time_to_safe_ms: p50 and max, None where a trial did not become safe."""
    scores = [trial.score for trial in trials]
    safe = _quantiles([score.time_to_safe_s for score in scores])
    rest = _quantiles([score.time_to_rest_s for score in scores] if kind.answer is Answer.REST else [None])
    bound_ms = kind.bound_s * 1e3
    broken: dict[str, list[Violation]] = {}
    for score in scores:
        for limit, found in score.violations.items():
            broken.setdefault(limit, []).extend(found)
    return {
        "name": kind.name,
        "doc": kind.doc,
        "trials": len(trials),
        "time_to_safe_ms": safe,
        "bound_ms": round(bound_ms, 1),
        "within_bound": safe["max"] is not None and safe["max"] <= bound_ms,
        "time_to_rest_ms": rest,
        "peak_force_N": round(max(score.peak_force_N for score in scores), 2),
        "peak_speed_m_s": round(max(score.peak_speed_m_s for score in scores), 3),
        "peak_acceleration_m_s2": round(max(score.peak_acceleration_m_s2 for score in scores), 2),
        "limit_violations": sum(map(len, broken.values())),
        "violated": {
            limit: {"count": len(found), "worst": round(max(v.value for v in found), 6), "allowed": round(found[0].allowed, 6)}
            for limit, found in sorted(broken.items())
        },
        "commands_without_verdict": sum(score.unverified for score in scores),
        "unplanned_resumes": sum(score.unplanned_resumes for score in scores),
        "answer": str(kind.answer),
        "rested": sum(score.rested for score in scores),
        "recovery": kind.recovery,
        "recovered": all(trial.recovered for trial in trials),
        "reasons": sorted({reason for score in scores for reason in score.reasons}),
    }


def sound(row: Mapping[str, Any]) -> bool:
    """Return whether a kind of fault was answered as specified in every trial."""
    return bool(row["within_bound"] and row["recovered"] and not row["limit_violations"] and not row["unplanned_resumes"])


def table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the table for the screen."""
    out = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for column in _COLUMNS:
        out.add_column(column, justify="left" if column in _LEFT else "right", no_wrap=column in _LEFT)
    for row in rows:
        out.add_row(*_cells(row), "[green]ok[/]" if sound(row) else "[red]no[/]")
    return out


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the table for the README."""
    lines = [" | ".join(_COLUMNS), " | ".join("---" if name in _LEFT else "---:" for name in _COLUMNS)]
    lines += [" | ".join((*_cells(row), "ok" if sound(row) else "**no**")) for row in rows]
    return "".join(f"| {line} |\n" for line in lines)


def figure(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the figure: time to a safe command per kind of fault, against its bound."""
    import matplotlib
    from matplotlib.figure import Figure

    from tactus_cli.report import style

    shown = [row for row in rows if row["answer"] == Answer.REST]
    with matplotlib.rc_context(style.MATPLOTLIB):
        drawing = Figure(figsize=(8.0, 1.4 + 0.22 * len(shown)), layout="constrained")
        axes = drawing.subplots()
        places = np.arange(len(shown))[::-1]
        axes.barh(places, [row["bound_ms"] for row in shown], color=style.LIGHT, label="bound")
        for key, colour in (("p50", style.BLUE), ("max", style.ORANGE)):
            values = [np.nan if row["time_to_safe_ms"][key] is None else max(row["time_to_safe_ms"][key], 1.0) for row in shown]
            axes.plot(values, places, "o", color=colour, markersize=4.5, label=f"time to safe, {key}")
        missed = [place for place, row in zip(places, shown, strict=True) if not row["within_bound"]]
        axes.plot([row["bound_ms"] for row in shown if not row["within_bound"]], missed, "x", color=style.VERMILLION, label="missed")
        axes.set_yticks(places, [row["name"].replace("_", " ") for row in shown], fontsize=8)
        axes.set(xscale="log", xlim=(0.9, None), xlabel="from the fault to a safe command [ms, log scale; 1: at once]")
        axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        drawing.savefig(path, dpi=130)


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    safe, rest = row["time_to_safe_ms"], row["time_to_rest_ms"]
    return (
        row["name"].replace("_", " "),
        _number(safe["p50"]),
        _number(safe["max"]),
        _number(row["bound_ms"] if row["answer"] == Answer.REST else None),
        _number(rest["max"]),
        f"{row['peak_force_N']:.1f}",
        str(row["limit_violations"]),
        str(row["unplanned_resumes"]),
        row["recovery"] if row["recovered"] else "failed",
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


def _quantiles(values_s: Sequence[float | None]) -> dict[str, float | None]:
    known = [value * 1e3 for value in values_s if value is not None]
    if not known:
        return {"p50": None, "max": None}
    return {"p50": round(float(np.median(known)), 1), "max": round(max(known), 1) if len(known) == len(values_s) else None}
