"""Benchmarks of graphs: the shipped launch files, while they run."""

import time
from pathlib import Path

import click

from tactus_cli.benching.shown import show, show_broken, show_quantiles
from tactus_cli.options import json_option, realtime_option, seed_option, write_json


@click.command()
@click.option("--seconds", type=click.FloatRange(min=1.0), default=12.0, show_default=True, help="How long to measure.")
@click.option("--task", default="wipe", show_default=True, help="Simulated task.")
@click.option("--robot", default="panda_allegro", show_default=True, help="Robot of that task.")
@click.option("--bundle", default="wipe-rdp", show_default=True, help="Policy bundle, a name or a folder.")
@realtime_option
@seed_option
@json_option
def latency(seconds: float, task: str, robot: str, bundle: str, realtime: bool, seed: int, json_file: Path | None) -> None:
    """Touch stamp → guarded command received at the device, in the full graph, the slow policy inferring."""
    from tactus_cli.bringup import launch_file
    from tactus_cli.domain import require_quiet_domain
    from tactus_cli.latency import measure

    require_quiet_domain()
    arguments = {"task": task, "robot": robot, "bundle": bundle, "realtime": str(realtime).lower()}
    result = measure(launch_file("sim.launch.xml"), arguments, seed, seconds)
    show(result)
    write_json(json_file, result)


@click.command()
@click.option("--takeovers", type=click.IntRange(min=1), default=200, show_default=True, help="How often a human takes over.")
@click.option("--task", default="wipe", show_default=True, help="Simulated task.")
@click.option("--robot", default="panda_allegro", show_default=True, help="Robot of that task.")
@click.option("--bundle", default="wipe-rdp", show_default=True, help="Policy bundle, a name or a folder.")
@click.option(
    "--folder", type=click.Path(path_type=Path), default=Path("runs/takeover"), show_default=True, help="Results: a folder in it."
)
@realtime_option
@seed_option
@json_option
def takeover(takeovers: int, task: str, robot: str, bundle: str, folder: Path, realtime: bool, seed: int, json_file: Path | None) -> None:
    """A SpaceMouse takes the robot from the policy: input → command at the device, smoothness, and whether the record is whole."""
    from tactus_cli.domain import require_quiet_domain
    from tactus_cli.takeover.bench import measure

    require_quiet_domain()
    arguments = {"task": task, "robot": robot, "bundle": bundle, "realtime": str(realtime).lower()}
    into = folder / time.strftime("%Y-%m-%d_%H-%M-%S")
    result = measure(arguments, takeovers, seed, into)
    rows = {"input to command": result["input_to_command_ms"], **result["hops_ms"], "back to policy": result["given_back_to_policy_ms"]}
    show_quantiles(rows)
    click.echo(f"{result['unanswered']} of {result['takeovers']} takeovers unanswered; {result['frames_lost']} frames of corrections lost")
    click.echo(f"at {result['edges']} edges: jerk at most {result['edge_jerk_max']} of {result['jerk_limit']} m/s³")
    show_broken("limits broken there", result["limits_broken"])
    for part, counts in result["executed_against_received"].items():
        click.echo(f"{part}: " + ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items()))
    click.echo(f"Bag and logs are in {into}")
    write_json(json_file, result)


@click.command()
@click.option("--count", type=click.IntRange(min=1), default=50, show_default=True, help="How often good weights are swapped.")
@click.option("--episodes", type=click.IntRange(min=0), default=6, show_default=True, help="Whole ones before worse weights; 0: none.")
@click.option("--task", default="wipe", show_default=True, help="Simulated task.")
@click.option("--robot", default="panda_allegro", show_default=True, help="Robot of that task.")
@click.option("--bundle", default="wipe-rdp", show_default=True, help="Policy bundle, a name or a folder.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("runs/swap"), show_default=True, help="Results: a folder in it.")
@realtime_option
@seed_option
@json_option
def swap(
    count: int, episodes: int, task: str, robot: str, bundle: str, folder: Path, realtime: bool, seed: int, json_file: Path | None
) -> None:
    """Weights are swapped while the policy works: missed ticks, limits, and whether bad and worse ones are refused or taken back."""
    from tactus_cli.domain import require_quiet_domain
    from tactus_cli.swapping.bench import measure

    require_quiet_domain()
    arguments = {"task": task, "robot": robot, "bundle": bundle, "realtime": str(realtime).lower()}
    into = folder / time.strftime("%Y-%m-%d_%H-%M-%S")
    result = measure(arguments, count, episodes, seed, into)
    click.echo(f"{result['swaps']} swaps of {result['offered']}; episodes with two versions: {result['episodes_of_two_versions']}")
    for name, row in (("nothing going on", result["without"]), ("a swap under way", result["under_way"])):
        interval, where = row["interval_ms"], ""
        if row["stalls"] is not None:
            where = f", {row['missed_in_stalls']} of them where the machine stood still ({row['stalls']} times for 1 ms or more)"
        click.echo(
            f"{name}: {row['seconds']} s, {row['ticks']} ticks, {row['missed']} missed{where}; from command to command "
            f"{interval['p50']} ms p50, {interval['p99']} p99, {interval['max']} max, {row['intervals_over_10_ms']} over 10; "
            f"held in {row['held']} ticks for want of a plan, for {row['longest_held_s']} s at most"
        )
    show_broken("limits broken", result["limits_broken"])
    for wrong, said in result["refused"].items():
        click.echo(f"{wrong}: {'refused' if said else 'TAKEN'}")
    if worse := result["worse"]:
        click.echo(
            f"worse weights, {worse['worse']} of {worse['episodes']} after {worse['before']} of {worse['of']}: "
            f"{'taken back' if worse['taken_back'] else 'NOT TAKEN BACK'}"
        )
    click.echo(f"Bag and logs are in {into}")
    write_json(json_file, result)


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Only this robot of launch/robots; may be given again.")
@click.option("--mode", type=click.Choice(["emulated", "sim"]), default="emulated", show_default=True, help="As in their launch files.")
@click.option("--seconds", type=click.FloatRange(min=6.0), default=60.0, show_default=True, help="How long each robot reaches.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("runs/robots"), show_default=True, help="Results: a folder in it.")
@realtime_option
@json_option
def robots(only: tuple[str, ...], mode: str, seconds: float, folder: Path, realtime: bool, json_file: Path | None) -> int:
    """Each whole robot, emulated or simulated: reaching through guard and recorder; errors, and limits by the devices' own logs."""
    from tactus_cli.bringup import launch_file
    from tactus_cli.domain import require_quiet_domain
    from tactus_cli.reach import reach, whole_robots
    from tactus_nodes.plugins import find_robot

    require_quiet_domain()
    into, rows = folder / time.strftime("%Y-%m-%d_%H-%M-%S"), []
    for name in only or whole_robots(mode):
        row = reach(launch_file(f"robots/{name}.launch.xml"), find_robot(name), mode, seconds, realtime, into / name)
        rows.append(row)
        reached, asked = row["reached"]
        click.echo(f"{name}: {row['seconds']:.0f} s, {reached} of {asked} postures reached, running {row['running_share']:.0%}")
        click.echo(f"  errors: {len(row['errors'])}; limits broken: " + (", ".join(row["broken"]) or "none"))
        click.echo("  cores in use: " + ", ".join(f"{node} {cores:.2f}" for node, cores in row["cpu"].items()))
    click.echo(f"Bags and logs are in {into}")
    write_json(json_file, {"robots": rows})
    return 1 if any(row["errors"] or row["broken"] for row in rows) else 0
