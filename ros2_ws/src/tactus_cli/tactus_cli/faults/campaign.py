"""A run of the fault matrix as a user sees it: estimate, progress, table, files."""

import contextlib
import os
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from tactus_cli.episodes import progress
from tactus_cli.faults import report
from tactus_cli.faults.kinds import Kind
from tactus_cli.faults.matrix import Matrix, estimate_s, launcher
from tactus_cli.faults.trial import Trial
from tactus_cli.options import write_json
from tactus_core.guard.config import GuardConfig
from tactus_core.types import RobotDescription

# Of what a heartbeat counts, a verdict or two may still be on their way.
_COUNTED_LATE = 2


class Campaign:
    """`run` fills `folder` with `faults.json`, `faults.md`, `faults.png` and logs. interrupted: Ctrl-C came; what was done is reported."""

    def __init__(self, console: Console, folder: Path, seed: int, realtime: bool) -> None:
        self.console, self.folder, self.seed, self.realtime = console, folder, seed, realtime
        self.interrupted = False

    def run(
        self,
        file: Path,
        arguments: Mapping[str, str],
        robot: RobotDescription,
        kinds: Sequence[Kind],
        trials: int,
        environment: Mapping[str, str],
    ) -> dict[str, Any]:
        """Run all trials and return the report."""
        minutes = estimate_s(kinds, trials) / 60
        self.console.print(
            f"{len(kinds)} kinds of fault × {trials} moments: about {minutes:.0f} min. Results will be in [bold]{self.folder}[/]"
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        done: dict[str, list[Trial]] = {kind.name: [] for kind in kinds}
        matrix = Matrix(launcher(file, arguments, robot, self.realtime, self.folder, environment), robot, GuardConfig(), self.seed)
        began_s = time.monotonic()
        rows = matrix.run(kinds, trials)
        try:
            with contextlib.closing(rows), progress(self.console) as bar:
                task = bar.add_task("starting the graph", total=len(kinds) * trials)
                for kind, trial in rows:
                    done[kind.name].append(trial)
                    bar.update(task, advance=1, description=kind.name.replace("_", " "))
        except KeyboardInterrupt:
            self.interrupted = True
        result = {
            "faults": [report.summarise(kind, done[kind.name]) for kind in kinds if done[kind.name]],
            "seed": self.seed,
            "realtime": self.realtime,
            "launches": matrix.launches,
            "verdicts": matrix.verdicts,
            "verdicts_missed": max(0, matrix.missed.total()),
            "verdicts_missed_by_fault": {name: count for name, count in matrix.missed.items() if count > _COUNTED_LATE},
            "remarks": matrix.remarks,
            "wall_s": round(time.monotonic() - began_s, 1),
            "machine": {"cores": os.cpu_count(), "system": platform.platform()},
        }
        result["sound"] = not self.interrupted and all(report.sound(row) for row in result["faults"])
        self._show(result)
        return result

    def _show(self, result: Mapping[str, Any]) -> None:
        rows = result["faults"]
        write_json(self.folder / "faults.json", result)
        if not rows:
            return
        (self.folder / "faults.md").write_text(report.markdown(rows))
        report.figure(rows, self.folder / "faults.png")
        self.console.print(report.table(rows))
        violated = {row["name"]: row["violated"] for row in rows if row["violated"]}
        if violated:
            self.console.print(f"limits broken: {violated}", highlight=False)
        for remark in result["remarks"]:
            self.console.print(f"[yellow]remark[/] {remark}", highlight=False)
        sound = sum(report.sound(row) for row in rows)
        self.console.print(
            f"{sound} of {len(rows)} kinds answered as specified; {result['verdicts_missed']} of {result['verdicts']} verdicts were missed "
            f"by the observer; {result['wall_s'] / 60:.1f} min",
            highlight=False,
        )
