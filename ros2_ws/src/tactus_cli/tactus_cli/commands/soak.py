"""Run the demo's graph for long: memory per process, missed deadlines by cause, lateness of ticks.

Nothing is recorded but the figures. Ctrl-C ends it at any time; what was measured until then is reported.
"""

import time
from pathlib import Path

import click

from tactus_cli.options import first_seed_option, json_option, realtime_option, write_json

TASK = "wipe"


@click.command(help=__doc__)
@click.option("--minutes", type=click.FloatRange(min=0.1), default=30.0, show_default=True, help="How long to run.")
@click.option("--bundle", default="wipe-rdp", show_default=True, help="Policy bundle: a name in models/bundles, or a folder.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("runs", "soak"), show_default=True, help="Results: a folder in it.")
@realtime_option
@first_seed_option
@json_option
def command(minutes: float, bundle: str, folder: Path, realtime: bool, seed: int, json_file: Path | None) -> int:
    """Run episodes until the time is over, then report; 1 where memory grew."""
    from rich.console import Console

    from tactus_cli.episodes import open_bundle, progress, simulated_graph
    from tactus_cli.machine import BareTimer, stolen_and_all_s
    from tactus_cli.report import soaked
    from tactus_cli.soak import Soak, report

    console, folder = Console(), folder / time.strftime("%Y-%m-%d_%H-%M-%S")
    folder.mkdir(parents=True)
    bundle_folder, _ = open_bundle(bundle, TASK)
    interrupted = False
    arguments = {"realtime": str(realtime).lower()}
    with (
        simulated_graph(TASK, bundle_folder, arguments, folder / "logs") as session,
        BareTimer(realtime) as timer,
        progress(console) as bar,
    ):
        before = stolen_and_all_s()
        soak, task = Soak(session), bar.add_task("soaking, seconds", total=round(60 * minutes))
        try:
            soak.run(seed, 60 * minutes, lambda at_s, episodes: bar.update(task, completed=round(at_s), description=f"episode {episodes}"))
        except KeyboardInterrupt:
            interrupted = True
        stolen_s, all_s = (now - then for now, then in zip(stolen_and_all_s(), before, strict=True))
        machine = {"bare_timer_ms": timer.summary(), "stolen_percent": round(100.0 * stolen_s / all_s, 2)}
    result = report(soak.samples, soak.outcomes, machine)
    soaked.figure(soak.samples, folder / "soak.png")
    for file in (folder / "soak.json", json_file):
        write_json(file, result)
    console.print(soaked.memory_table(result), soaked.timing_table(result))
    console.print(f"The host took {machine['stolen_percent']} % of the cores' time.", highlight=False)
    console.print(f"{result['episodes']} episodes, {result['successes']} successes; deadlines: {result['deadlines']}", highlight=False)
    console.print(f"Results are in [bold]{folder}[/]")
    return 130 if interrupted else 1 if result["grows"] else 0
