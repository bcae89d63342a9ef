"""Benchmarks of what a policy's networks cost, and of what makes them cheaper."""

from dataclasses import replace
from pathlib import Path

import click

from tactus_cli.benching.shown import show_parts
from tactus_cli.options import engine_options, json_option, observe_option, seed_option, write_json
from tactus_core.engines.port import EngineConfig
from tactus_core.errors import ConfigError


@click.command()
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


@click.command()
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


@click.command()
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


@click.command()
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
