"""Measure this machine: latency of the graph, speed of policy, encoders and simulation, cost of the guard and what it lets through."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from tactus_cli.options import engine_options, json_option, observe_option, realtime_option, seed_option, write_json
from tactus_core.engines.port import EngineConfig
from tactus_core.errors import ConfigError


@click.group(help=__doc__)
def command() -> None:
    """Measure this machine."""


@command.command()
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


@command.command()
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
    click.echo("limits broken there: " + (", ".join(f"{name} {count}" for name, count in result["limits_broken"].items()) or "none"))
    for part, counts in result["executed_against_received"].items():
        click.echo(f"{part}: " + ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items()))
    click.echo(f"Bag and logs are in {into}")
    write_json(json_file, result)


@command.command()
@click.option("--bundle", default="wipe-rdp", show_default=True, help="Policy bundle, a name or a folder.")
@click.option("--repetitions", type=click.IntRange(min=10), default=200, show_default=True, help="How often each part is run.")
@click.option("--against", type=click.Choice(["lerobot"]), help="Beside its own project's code: whole chunks, in turns, and their parity.")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="What the bundle was imported from, for --against.")
@click.option("--lerobot-python", type=click.Path(path_type=Path), help="Python of an environment with lerobot[diffusion], for --against.")
@click.option("--threads", type=click.IntRange(1, 64), default=1, show_default=True, help="Of each network; of each side, for --against.")
@engine_options
@seed_option
@json_option
def policy(
    bundle: str,
    repetitions: int,
    against: str | None,
    checkpoint: Path | None,
    lerobot_python: Path | None,
    threads: int,
    engine: EngineConfig,
    seed: int,
    json_file: Path | None,
) -> None:
    """Encoder, one denoiser step, a whole chunk without its encoder, and the fast head, in one process; or --against another project."""
    engine = replace(engine, threads=threads)
    if against is None:
        from tactus_cli.speed import policy_speed

        result = policy_speed(bundle, repetitions, seed, engine)
    else:
        from tactus_cli.against.comparison import compare

        if checkpoint is None or lerobot_python is None:
            raise ConfigError(
                "--against lerobot needs --checkpoint and --lerobot-python as well: what to run, and where lerobot is installed."
            )
        result = compare(bundle, checkpoint, lerobot_python, repetitions, engine, seed)
    rows = {name.removesuffix("_ms").replace("_", " "): row for name, row in result.items() if name.endswith("_ms")}
    show_parts(f"{result['bundle']}, ms", rows)
    if against is not None:
        click.echo(
            f"{result['times_faster']} times faster, with {threads} threads; rows differ by at most {result['largest_difference']:.1e}"
        )
    write_json(json_file, result)


@command.command()
@click.option("--encoder", "folders", type=click.Path(path_type=Path), multiple=True, help="Folder of an encoder; may be given again.")
@click.option("--robot", default="panda_allegro", show_default=True, help="Robot whose hand looks for the nearest points.")
@click.option("--repetitions", type=click.IntRange(min=30), default=200, show_default=True, help="How often each step is run.")
@seed_option
@json_option
def encoders(folders: tuple[Path, ...], robot: str, repetitions: int, seed: int, json_file: Path | None) -> None:
    """Clouds, nearest points, dots and contact on a gel, and encoders of yours: time on one core, and how right the dots are."""
    from tactus_cli.encoder_speed import encoder_speed

    result = encoder_speed(robot, folders, repetitions, seed)
    show_parts("one core, ms", result["ms"])
    error = result["dots_error_px"]
    click.echo(f"dots: {result['dots_frames_per_s']} frames/s; wrong by {error['mean']} px in the mean, {error['max']} at most")
    write_json(json_file, result)


@command.command()
@click.option("--bundle", default="wipe-rdp", show_default=True, help="Policy bundle, a name or a folder.")
@click.option("--repetitions", type=click.IntRange(min=20), default=200, show_default=True, help="How often each part is run.")
@observe_option
@seed_option
@json_option
def engines(bundle: str, repetitions: int, seconds: float, seed: int, json_file: Path | None) -> None:
    """A bundle on every backend in every precision that this machine can have, built where missing: speed, and error by the reference."""
    from tactus_cli.engines import compare

    result = compare(bundle, repetitions, seed, seconds, lambda warning: click.echo(warning, err=True))
    names = [key.removesuffix("_ms") for key in result["engines"][0] if key.endswith("_ms")]
    click.echo(
        f"{result['bundle'] + ', p50 / p99 ms':24}" + "".join(f"{name.replace('_', ' '):>20}" for name in names) + f"{'chunk error':>14}"
    )
    for row in result["engines"]:
        times = "".join(f"{row[f'{name}_ms']['p50']:11.3f} /{row[f'{name}_ms']['p99']:7.3f}" for name in names)
        click.echo(f"{row['backend'] + ' ' + row['precision']:24}{times}{row['chunk_error']:14.2g}")
    for row in result["missing"]:
        click.echo(f"{row['backend']} {row['precision']}: {row['why']}")
    write_json(json_file, result)


@command.command()
@click.option("--bundle", required=True, help="Policy bundle of a transformer, a name or a folder.")
@click.option(
    "--cache", "caches", type=click.Path(path_type=Path), multiple=True, required=True, help="File of `./tactus cache`; may be given again."
)
@click.option(
    "--few", type=click.IntRange(min=1), multiple=True, default=(8, 16), show_default=True, help="Beside it: DDIM in so many steps."
)
@click.option("--repetitions", type=click.IntRange(min=20), default=60, show_default=True, help="How often each plan is made.")
@seed_option
@json_option
def cache(bundle: str, caches: tuple[Path, ...], few: tuple[int, ...], repetitions: int, seed: int, json_file: Path | None) -> None:
    """Time of whole plans with cached blocks, without, and in few steps, in turns."""
    from tactus_cli.caching import compare_caches

    result = compare_caches(bundle, caches, few, repetitions, seed)
    show_parts(f"{result['bundle']}, ms", {row["what"]: row["plan_ms"] for row in result["plans"]})
    for row in result["plans"]:
        if "times_faster" in row:
            click.echo(f"{row['what']}: {row['times_faster']} times faster")
    write_json(json_file, result)


@command.command()
@click.option("--seconds", type=click.FloatRange(min=1.0), default=8.0, show_default=True, help="How much to simulate.")
@seed_option
@json_option
def sim(seconds: float, seed: int, json_file: Path | None) -> None:
    """The wiping world in lockstep, arm and hand in contact: times real time on one core."""
    from tactus_cli.speed import simulation_speed

    result = simulation_speed(seconds, seed)
    click.echo(f"state only             {result['state_only_x_realtime']:6.2f} × real time")
    click.echo(f"with the wrist camera  {result['with_camera_x_realtime']:6.2f} × real time")
    click.echo(f"{result['simulated_s']:.1f} s simulated each, pad in contact in {result['in_contact']:.0%} of it")
    write_json(json_file, result)


@command.command()
@click.option("--proposals", type=click.IntRange(min=1000), default=50_000, show_default=True, help="How many to put through.")
@click.option("--robot", default="panda_allegro", show_default=True, help="Robot whose guard is tried.")
@seed_option
@json_option
def guard(proposals: int, robot: str, seed: int, json_file: Path | None) -> int:
    """Random and hostile proposals through the guard: every limit judged independently, what a step costs. Exit code 1: one was broken."""
    from rich.progress import Progress

    from tactus_cli.guard_fuzz import fuzz
    from tactus_core.guard.config import GuardConfig
    from tactus_nodes.plugins import find_robot

    description = find_robot(robot)
    with Progress(transient=True) as progress:
        bar = progress.add_task("proposals", total=proposals)
        result = fuzz(description, GuardConfig(), proposals, seed, lambda more: progress.advance(bar, more))
    cost = result["step_us"]
    click.echo(f"{result['proposals']} proposals; a step that moves the robot takes {cost['p50']} µs p50, {cost['p99']} µs p99")
    click.echo("verdicts: " + ", ".join(f"{name} {count}" for name, count in result["states"].items()))
    click.echo("reasons: " + ", ".join(f"{name} {count}" for name, count in result["reasons"].items()))
    click.echo("limits broken: " + (", ".join(f"{name} {count}" for name, count in result["violations"].items()) or "none"))
    write_json(json_file, result)
    return 1 if result["violations"] else 0


@command.command()
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


def show_parts(title: str, rows: dict[str, dict[str, float]]) -> None:
    """Print p50 and p99 of each part, as a table."""
    width = max(24, *(len(name) + 2 for name in (title, *rows)))
    click.echo(f"{title:{width}}{'p50':>9}{'p99':>9}")
    for name, row in rows.items():
        click.echo(f"{name:{width}}{row['p50']:9.3f}{row['p99']:9.3f}")


def show(result: dict[str, Any]) -> None:
    """Print the report as a table."""
    rows = {"touch to command": result["touch_to_command_ms"], "tick lateness": result["tick_lateness_ms"], **result["hops_ms"]}
    show_quantiles(rows)
    kind = "real-time" if result["realtime_scheduling"] else "ordinary"
    click.echo(f"{result['lost_ticks']} of {result['ticks']} ticks lost; {kind} scheduling")
    click.echo("cores in use: " + ", ".join(f"{name} {cores:.2f}" for name, cores in result["cpu"].items()))


def show_quantiles(rows: Mapping[str, Mapping[str, float | None]]) -> None:
    """Print durations [ms] as a table."""
    click.echo(f"{'ms':24}{'p50':>9}{'p99':>9}{'max':>9}")
    for name, row in rows.items():
        click.echo(f"{name:24}" + "".join("        –" if row[key] is None else f"{row[key]:9.3f}" for key in ("p50", "p99", "max")))
