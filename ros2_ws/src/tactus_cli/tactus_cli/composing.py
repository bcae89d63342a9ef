"""The search for the weight with which two policies do best together."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from tactus_cli.episodes import in_lockstep, watched
from tactus_cli.options import TUNING_SEED
from tactus_cli.report.results import wilson
from tactus_core.engines.port import EngineConfig
from tactus_core.errors import ConfigError
from tactus_core.policy.card import Card, file_sha256
from tactus_core.policy.composing import Parent, compose


def search_weights(folders: tuple[Path, Path], weights: Sequence[float], episodes: int, workers: int, into: Path) -> dict[str, Any]:
    """Return the success of each weight of the first bundle on the same tuning seeds, and `best`: the first of those that did best.

    The composed bundles, and a line for each episode (`outcomes.jsonl`), are kept in `into`; what is there is not run again.
    Raises a TactusError.
    """
    parents = [Parent.load(folder) for folder in folders]
    log = _Log(into / "outcomes.jsonl", [[of.folder.name, file_sha256(of.folder / "card.yaml")] for of in parents])
    seeds, rows = range(TUNING_SEED, TUNING_SEED + episodes), []
    for weight in weights:
        bundle = into / f"weight-{weight:g}"
        card = compose(parents, (weight, 1.0 - weight), bundle)
        left = [seed for seed in seeds if (weight, seed) not in log.done]
        if left:
            _run(card, bundle, left, workers, weight, log)
        successes = sum(log.done[weight, seed] for seed in seeds)
        interval = list(wilson(successes, episodes))
        rows.append({"weight": weight, "success_rate": successes / episodes, "interval": interval, "bundle": str(bundle)})
    best = max(rows, key=lambda row: row["success_rate"])
    names = [folder.name for folder in folders]
    return {
        "bundles": names,
        "task": parents[0].bundle.card.task,
        "episodes": episodes,
        "seeds": [seeds[0], seeds[-1]],
        "weights": rows,
        "best": best,
    }


def _run(card: Card, bundle: Path, seeds: Sequence[int], workers: int, weight: float, log: "_Log") -> None:
    outcomes = in_lockstep(card.task, bundle, seeds, workers, EngineConfig())
    noted = (log.note(weight, outcome) for outcome in outcomes)
    watched(noted, len(seeds), f"{card.task} · weight {weight:g}", Console())


class _Log:
    """Outcomes, a line each, behind a line that says of which bundles. done: success by (weight, seed)."""

    def __init__(self, path: Path, parents: list[list[str]]) -> None:
        self._path, self.done = path, {}
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else [self._write({"parents": parents})]
        if lines[0] != {"parents": parents}:
            raise ConfigError(
                f"{path} has outcomes of other bundles, {lines[0]}; these are {parents}. Choose another --folder, or delete it."
            )
        self.done = {(line["weight"], line["seed"]): line["success"] for line in lines[1:]}

    def note(self, weight: float, outcome: Any) -> Any:
        """Keep an outcome, and return it."""
        self.done[weight, outcome.seed] = outcome.success
        self._write({"weight": weight, "seed": outcome.seed, "success": outcome.success, **outcome.parts})
        return outcome

    def _write(self, line: dict[str, Any]) -> dict[str, Any]:
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return line


def weights_table(result: dict[str, Any]) -> Table:
    """Return the table of `search_weights`."""
    first, second = result["bundles"]
    title = f"{result['task']} · {first} and {second}, {result['episodes']} episodes each, seeds {result['seeds'][0]}–{result['seeds'][1]}"
    table = Table(title=title, box=box.SIMPLE_HEAD, title_style="bold", title_justify="left")
    for column in (f"weight of {first}", "success", "95 % interval", ""):
        table.add_column(column, justify="right")
    for row in result["weights"]:
        low, high = row["interval"]
        best = "best" if row is result["best"] else ""
        table.add_row(f"{row['weight']:g}", f"{row['success_rate']:.0%}", f"{low:.0%} … {high:.0%}", best)
    return table
