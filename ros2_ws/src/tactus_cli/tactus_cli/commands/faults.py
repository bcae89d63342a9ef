"""Inject faults into the running graph of the simulated robot, and score each by the time to a safe command.

At random moments while the policy moves the robot: killed and stopped processes, silent, frozen, late and false data, stepped clocks,
a full disk, emergency stops. Every command that reaches the device is held against the guard's limits by code of its own.
"""

import os
import time
from pathlib import Path

import click

from tactus_cli.options import json_option, realtime_option, seed_option, write_json

TASK = "wipe"


@click.command(help=__doc__)
@click.option("--trials", type=click.IntRange(min=1), default=10, show_default=True, help="Random moments per kind of fault.")
@click.option("--only", multiple=True, metavar="NAME", help="Only this kind of fault; may be given again.")
@click.option("--list", "only_list", is_flag=True, help="List the kinds of fault, and start nothing.")
@click.option("--bundle", default="wipe-rdp", show_default=True, help="Policy bundle: a name in models/bundles, or a folder.")
@click.option(
    "--folder", type=click.Path(path_type=Path), default=Path("runs", "faults"), show_default=True, help="Results and logs: a folder in it."
)
@realtime_option
@seed_option
@json_option
def command(
    trials: int, only: tuple[str, ...], only_list: bool, bundle: str, folder: Path, realtime: bool, seed: int, json_file: Path | None
) -> int:
    """Run the matrix; 0 where every fault was answered as specified, else 1."""
    from rich.console import Console

    from tactus_cli.bringup import launch_file
    from tactus_cli.contract import contract_of
    from tactus_cli.faults import kinds
    from tactus_cli.faults.bounds import Bounds
    from tactus_cli.faults.campaign import Campaign
    from tactus_cli.faults.graph import critical_nodes

    file = launch_file("sim.launch.xml")
    chosen = kinds.find(only, critical_nodes(file, {}, os.environ), Bounds.of(contract_of(file, {})))
    if only_list:
        width = max(len(kind.name) for kind in chosen)
        for kind in chosen:
            answer = f"rest in {kind.bound_s * 1e3:.0f} ms" if kind.answer is kinds.Answer.REST else str(kind.answer)
            click.echo(f"{kind.name:{width}}  {answer:15}  {kind.recovery:9}  {kind.doc}")
        return 0

    from tactus_cli.domain import require_quiet_domain
    from tactus_cli.episodes import open_bundle
    from tactus_nodes.plugins import find_task

    require_quiet_domain()
    bundle_folder, _ = open_bundle(bundle, TASK)
    robot = find_task(TASK).robot
    arguments = {"task": TASK, "robot": robot.name, "bundle": str(bundle_folder)}
    campaign = Campaign(Console(), folder / time.strftime("%Y-%m-%d_%H-%M-%S"), seed, realtime)
    result = campaign.run(file, arguments, robot, chosen, trials, dict(os.environ))
    write_json(json_file, result)
    return 130 if campaign.interrupted else 0 if result["sound"] else 1
