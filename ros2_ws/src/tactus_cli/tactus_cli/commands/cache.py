"""Make the file by which a transformer denoiser leaves out what hardly changes from step to step (block-wise adaptive caching).

BUNDLE is a name in models/bundles, or a folder. What the policy's blocks give at each step is recorded from observations of lockstep
episodes on tuning seeds; when each of them is refreshed follows from that: docs/policies.md. `evaluate` and `bench cache` take the file.
"""

from pathlib import Path

import click

from tactus_cli.options import SAMPLERS, json_option, seed_option, write_json


@click.command(help=__doc__)
@click.argument("bundle")
@click.option("--sampler", type=click.Choice(SAMPLERS), default="ddpm", show_default=True, help="Sampler that the file is for.")
@click.option("--steps", type=click.IntRange(min=2), default=100, show_default=True, help="Denoising steps that it is for.")
@click.option("--refreshes", type=click.IntRange(min=1), default=10, show_default=True, help="Steps at which a block is computed.")
@click.option(
    "--bubbled", type=click.IntRange(min=0), default=5, show_default=True,
    help="Blocks, those whose reuse errs most, that are computed with every feed-forward of their layer and behind it as well.",
)  # fmt: skip
@click.option("--uniform", is_flag=True, help="All blocks at the same steps, evenly apart: what the adaptive schedule has to beat.")
@click.option("--plans", type=click.IntRange(min=1), default=8, show_default=True, help="Plans that are recorded.")
@click.option(
    "--observe", "seconds", type=click.FloatRange(min=0.1), default=20.0, show_default=True, metavar="SECONDS",
    help="How much of simulated episodes to take their observations from.",
)  # fmt: skip
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file; default: in runs/caches, named after all of that.")
@seed_option
@json_option
def command(
    bundle: str,
    sampler: str,
    steps: int,
    refreshes: int,
    bubbled: int,
    uniform: bool,
    plans: int,
    seconds: float,
    out: Path | None,
    seed: int,
    json_file: Path | None,
) -> None:
    """Record, choose, write; tell which share of the blocks is computed."""
    from tactus_cli.caching import make_cache
    from tactus_core.policy.bundle import find_bundle

    if refreshes > steps:
        raise click.UsageError(f"--refreshes {refreshes} are more than --steps {steps}.")
    folder = find_bundle(bundle).resolve()
    how = f"uniform{refreshes}" if uniform else f"adaptive{refreshes}+{bubbled}"
    out = out or Path("runs/caches") / f"{folder.name}-{sampler}{steps}-{how}.cache"
    result = make_cache(folder, (sampler, steps), refreshes, None if uniform else bubbled, plans, seconds, seed, out)
    for block, row in result["blocks"].items():
        click.echo(f"{block:20}{len(row['refreshes']):4} of {steps} steps   mean error of reuse {row['reuse_error']:.3g}")
    click.echo(f"{result['computed']:.1%} of the blocks are computed. Wrote {out}; it goes with --sampler {sampler} --steps {steps}")
    write_json(json_file, result)
