"""Recorded sensors through the same graph, dry-run: policy and guard decide, and nothing moves; plots and figures come of it.

SOURCE is the folder of a bag that the recorder wrote, a LeRobot data set (--take: which episode), a GIF of an optical touch sensor, or a
Panda's force trace (MATLAB 5, 'symbol_data').
"""

import time
from pathlib import Path

import click

from tactus_cli.options import json_option, seed_option, write_json
from tactus_core.errors import ConfigError


@click.command(help=__doc__)
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--speed", type=click.FloatRange(0.01, 20.0), default=1.0, show_default=True, help="How much faster than it was recorded.")
@click.option(
    "--take",
    type=click.IntRange(0, 1000),
    default=0,
    help="Which one of a file that holds several, from 1.  [default: the first; of a force trace 5, which has blows in it]",
)
@click.option(
    "--rate-hz", type=click.FloatRange(0.0, 1e5), default=0.0, help="Sample rate of a force trace, which states none.  [default: 694]"
)
@click.option("--bundle", default="wipe-rdp", show_default=True, help="Policy bundle: a name in models/bundles, or a folder.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FOLDER", help="New folder for the results.  [default: runs/replay/<time>]")
@seed_option
@json_option
def command(
    source: Path, speed: float, take: int, rate_hz: float, bundle: str, out: Path | None, seed: int, json_file: Path | None
) -> None:
    """Check what can be checked, play, then report."""
    from rich.console import Console

    from tactus_cli.replay import Replay
    from tactus_core.policy.bundle import Bundle, find_bundle
    from tactus_nodes.plugins import find

    recording = find("tactus.devices", "recording")(source, take=take, rate_Hz=rate_hz)
    folder = out or Path("runs", "replay", time.strftime("%Y-%m-%d_%H-%M-%S"))
    if folder.exists():
        raise ConfigError(
            f"--out {folder} exists already; expected a new folder, because a recording is never overwritten. Choose another."
        )
    bundle_folder = find_bundle(bundle).resolve()
    card = Bundle.load(bundle_folder).card
    replay = Replay(source, recording, speed, folder, Console())
    replay.run(bundle_folder, card, take, rate_hz, seed)
    replay.report()
    write_json(json_file, replay.result)
