"""The main job: wipe boards in simulation, through the whole graph; a table, a video, plots and the recording come of it.

Ctrl-C ends it at any time; what was recorded until then is kept.
"""

import os
import time
from pathlib import Path

import click

from tactus_cli.options import first_seed_option, json_option, realtime_option, write_json
from tactus_core.errors import ConfigError, SetupError

TASK = "wipe"


@click.command(help=__doc__)
@click.option("--episodes", type=click.IntRange(min=1), default=3, show_default=True, help="How many episodes to run.")
@click.option("--bundle", default="wipe-rdp", show_default=True, help="Policy bundle: a name in models/bundles, or a folder.")
@click.option("--viewer", is_flag=True, help="Open the simulator's window.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FOLDER", help="New folder for the results.  [default: runs/demo/<time>]")
@realtime_option
@first_seed_option
@json_option
def command(episodes: int, bundle: str, viewer: bool, out: Path | None, realtime: bool, seed: int, json_file: Path | None) -> int:
    """Run the episodes, then make the report; the graph has ended before the report begins."""
    from rich.console import Console

    from tactus_cli.demo import Demo
    from tactus_cli.episodes import open_bundle

    folder = out or Path("runs", "demo", time.strftime("%Y-%m-%d_%H-%M-%S"))
    if folder.exists():
        raise ConfigError(
            f"--out {folder} exists already; expected a new folder, because a recording is never overwritten. Choose another."
        )
    if viewer and not os.environ.get("DISPLAY"):
        raise SetupError(
            "--viewer opens a window, but DISPLAY is not set: there is no screen to open it on. Run it from a desktop session (or with "
            "ssh -X), or leave --viewer out: the demo runs without a window and makes a video."
        )
    bundle_folder, card = open_bundle(bundle, TASK)
    demo = Demo(folder, TASK, card.name, bundle_folder, range(seed, seed + episodes), Console())
    demo.run({"viewer": str(viewer).lower(), "realtime": str(realtime).lower()})
    demo.report()
    write_json(json_file, demo.summary)
    return 130 if demo.interrupted else 0
